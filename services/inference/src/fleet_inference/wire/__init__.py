"""Hand-written wire codec of ``Inference``, byte for byte compatible with protobuf.

A cube of hundreds of megabytes is neither copied while it is parsed nor copied more than once while
a reply is made; everything that is not tensor memory is read and checked by protobuf itself.
"""

from fleet_inference.wire.inference_call import InferenceCall, SharedRegion, WireTensor
from fleet_inference.wire.inference_request import decode_inference_request
from fleet_inference.wire.inference_response import encode_inference_response

__all__ = [
    "InferenceCall",
    "SharedRegion",
    "WireTensor",
    "decode_inference_request",
    "encode_inference_response",
]
