"""A service behind the gateway: answers as many bytes as the request says, or dies answering.

``python upstream_process.py PORT answer`` or ``... PORT die``.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from fleet_proto.headers import ANSWER_BYTES


class Upstream(grpc.GenericRpcHandler):
    """Announces its answers as the product's services do."""

    def __init__(self, *, dies: bool) -> None:
        self._dies = dies

    def service(self, _details):
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.send_initial_metadata(((ANSWER_BYTES, request.decode()),))
        if self._dies:
            # The beginning of the answer is on its way.
            os._exit(1)
        return bytes(int(request))


def main() -> None:
    healthy = health.HealthServicer()
    healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    server = grpc.server(
        ThreadPoolExecutor(8),
        options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    server.add_generic_rpc_handlers((Upstream(dies=sys.argv[2] == "die"),))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
