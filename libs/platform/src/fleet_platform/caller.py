"""The caller of the current RPC."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of an RPC, as the gateway reports it.

    Attributes:
        identity: authenticated name; empty: the gateway does not authenticate.
        address: network address; empty: the call did not come through the gateway.
    """

    identity: str = ""
    address: str = ""


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current_caller() -> Caller | None:
    """Return the caller of the RPC being served; None in background threads."""
    return _current.get()


@contextmanager
def acting_for(caller: Caller) -> Iterator[None]:
    """Set the current caller for the duration of the block."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)
