"""Checks at the gateway whether the stack is serving."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import connect


def is_serving(address: str, service: str = "") -> bool:
    """Return whether `service` ("" for all) is SERVING at the gateway; deadline 2 s."""
    with connect(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=2.0)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
