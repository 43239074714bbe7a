"""Hand-written wire codec of ``Inference``, byte for byte compatible with protobuf.

A cube of hundreds of megabytes is not copied when a request is parsed, and is copied once when a
reply is serialised; everything except tensor memory is parsed and checked by protobuf itself.
"""

from fleet_inference.wire.decoded_request import DecodedRequest, SharedRegion, WireTensor
from fleet_inference.wire.inference_request import decode_inference_request
from fleet_inference.wire.inference_response import encode_inference_response

__all__ = [
    "DecodedRequest",
    "SharedRegion",
    "WireTensor",
    "decode_inference_request",
    "encode_inference_response",
]
