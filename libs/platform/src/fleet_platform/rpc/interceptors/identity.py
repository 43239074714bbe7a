"""Binds each call to its caller."""

from collections.abc import Iterator
from contextlib import contextmanager

from fleet_platform.caller import Caller, acting_for
from fleet_platform.rpc.interceptors.method_info import MethodInfo
from fleet_proto.headers import CALLER_ADDRESS, CALLER_IDENTITY


@contextmanager
def identity(info: MethodInfo) -> Iterator[Caller]:
    """Bind the call to the caller named by the gateway."""
    metadata = dict(info.context.invocation_metadata())
    caller = Caller(_text(metadata.get(CALLER_IDENTITY)), _text(metadata.get(CALLER_ADDRESS)))
    with acting_for(caller):
        yield caller


def _text(value: str | bytes | None) -> str:
    return value if isinstance(value, str) else ""
