"""The standard health service (``grpc.health.v1``), whose two messages are read here by hand."""

from cuvis_fleet.errors import NotFound
from cuvis_fleet.fields import fields
from cuvis_fleet.steps import Plan, ask
from fleet_proto.methods import METHODS_BY_SERVICE

_CHECK = "/grpc.health.v1.Health/Check"
_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


def health() -> Plan[dict[str, str]]:
    """The status of the whole fleet ("") and of each service by name."""
    told: dict[str, str] = {}
    for service in ("", *sorted(METHODS_BY_SERVICE)):
        name = service.encode()
        request = b"\x0a" + bytes([len(name)]) + name if name else b""
        try:
            told[service] = yield from ask(_CHECK, request, _status)
        except NotFound:
            told[service] = "SERVICE_UNKNOWN"
    return told


def _status(answer: bytes) -> str:
    for number, value, _ in fields(memoryview(answer)):
        if number == 1:
            return _STATUSES.get(value[0], str(value[0]))
    return _STATUSES[0]
