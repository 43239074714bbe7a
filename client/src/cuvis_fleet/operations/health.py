"""A client of the standard health service, ``grpc.health.v1``, without its generated code."""

from cuvis_fleet.errors import NotFound
from cuvis_fleet.operations.operation import Operation, unary_call
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_proto.wire import fields

_CHECK = "/grpc.health.v1.Health/Check"
_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


def health() -> Operation[dict[str, str]]:
    """Return the status of the whole fleet ("") and of each service by name."""
    statuses: dict[str, str] = {}
    for service in ("", *sorted(METHODS_BY_SERVICE)):
        name = service.encode()
        request = b"\x0a" + bytes([len(name)]) + name if name else b""
        try:
            statuses[service] = yield from unary_call(_CHECK, request, _status)
        except NotFound:
            statuses[service] = "SERVICE_UNKNOWN"
    return statuses


def _status(response: bytes) -> str:
    for number, value, _ in fields(memoryview(response)):
        if number == 1:
            return _STATUSES.get(value[0], str(value[0]))
    return _STATUSES[0]
