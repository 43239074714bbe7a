"""Ask the gateway whether the whole stack serves."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import connect


def is_serving(address: str, service: str = "") -> bool:
    """Whether `service` ("" for all) is SERVING at the gateway, asked with a 2 s deadline."""
    with connect(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=2.0)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
