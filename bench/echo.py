"""A bare gRPC server that receives bytes and returns the requested number of bytes.

``python -m bench.echo PORT`` serves until it is terminated. It is the lower bound for any service
in this language on this machine: no parsing, no state, no arithmetic.
"""

from __future__ import annotations

import functools
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from fleet_proto.methods import SERVICE_NAME

METHOD = "Inference"
REPLY_SIZE_KEY = "x-reply-bytes"
_GIB = 1024**3


@functools.lru_cache(maxsize=1)
def _reply(size_bytes: int) -> bytes:
    return b"\x5a" * size_bytes


def _answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
    metadata = dict(context.invocation_metadata())
    return _reply(int(metadata[REPLY_SIZE_KEY]))


def serve(port: int) -> None:
    """Serve on loopback until the process is terminated."""
    server = grpc.server(
        ThreadPoolExecutor(10),
        options=[
            ("grpc.max_send_message_length", _GIB),
            ("grpc.max_receive_message_length", _GIB),
            ("grpc.so_reuseport", 0),
        ],
    )
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_answer)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE_NAME, {METHOD: handler}),)
    )
    checks = health.HealthServicer()
    for name in ("", SERVICE_NAME, "session", "config", "trainer", "inference"):
        checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
