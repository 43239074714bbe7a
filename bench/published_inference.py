"""Inference with the published helpers; runs in their environment, driven line by line.

``python published_inference.py ADDRESS SESSION CUBE.npy`` makes one call for each line of input and
prints its seconds, from array to arrays.
"""

import sys
import time

import grpc
import numpy as np
from cuvis_ai_core.grpc.helpers import (  # type: ignore[import-not-found]  # in their environment
    numpy_to_proto,
    proto_to_numpy,
)
from cuvis_ai_schemas.grpc.v1 import (  # type: ignore[import-not-found]  # in their environment
    cuvis_ai_pb2,
    cuvis_ai_pb2_grpc,
)

_GIB = 1024**3


def main() -> None:
    """Call once for each line."""
    address, session_id, path = sys.argv[1:]
    cube = np.load(path)
    wavelengths = np.linspace(430, 910, cube.shape[-1]).astype(np.int32)[None]
    limits = [(f"grpc.max_{way}_message_length", _GIB) for way in ("send", "receive")]
    channel = grpc.insecure_channel(address, options=limits)
    stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
    for _ in sys.stdin:
        began_s = time.perf_counter()
        response = stub.Inference(
            cuvis_ai_pb2.InferenceRequest(
                session_id=session_id,
                inputs=cuvis_ai_pb2.InputBatch(
                    cube=numpy_to_proto(cube), wavelengths=numpy_to_proto(wavelengths)
                ),
                output_specs=["decisions"],
            )
        )
        for tensor in response.outputs.values():
            proto_to_numpy(tensor)
        print(time.perf_counter() - began_s, flush=True)


if __name__ == "__main__":
    main()
