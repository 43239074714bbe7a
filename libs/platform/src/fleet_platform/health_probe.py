"""Checks the health of a service: ``python -m fleet_platform.health_probe HOST:PORT``.

The container images use it as their health check. It prints the status or the error, and exits with
0 if the service is SERVING and with 1 otherwise. It imports little, because it is started every few
seconds.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_TIMEOUT_S = 4.0


def main(arguments: list[str]) -> int:
    """Check the address that is the only argument; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with grpc.insecure_channel(arguments[0]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            status = stub.Check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S).status
        except grpc.RpcError as error:
            sys.stdout.write(f"{error.code().name}: {error.details()}\n")
            return 1
    sys.stdout.write(f"{health_pb2.HealthCheckResponse.ServingStatus.Name(status)}\n")
    return 0 if status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
