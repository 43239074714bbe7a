"""Tells the handler whose call it answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from fleet_platform.caller import Caller, acting_for
from fleet_platform.rpc.interceptors.method_info import MethodInfo

IDENTITY_KEY = "x-fleet-caller"
ADDRESS_KEY = "x-fleet-address"
"""Metadata that the gateway alone sets: it takes away what a client sends under these keys."""


@contextmanager
def identity(info: MethodInfo) -> Iterator[Caller]:
    """Let the call be that of whom the gateway names."""
    metadata = dict(info.context.invocation_metadata())
    caller = Caller(_text(metadata.get(IDENTITY_KEY)), _text(metadata.get(ADDRESS_KEY)))
    with acting_for(caller):
        yield caller


def _text(value: str | bytes | None) -> str:
    return value if isinstance(value, str) else ""
