"""Who makes the call that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call, as the gateway tells it.

    Attributes:
        identity: name that the gateway vouches for; empty: it does not authenticate.
        address: where the call came from; empty: it came past the gateway.
    """

    identity: str = ""
    address: str = ""


_running: ContextVar[Caller | None] = ContextVar("caller", default=None)


def current_caller() -> Caller | None:
    """Whose call runs here; None in what a service does by itself, on threads of its own."""
    return _running.get()


@contextmanager
def acting_for(caller: Caller) -> Iterator[None]:
    """Let what runs in the block be `caller`'s."""
    token = _running.set(caller)
    try:
        yield
    finally:
        _running.reset(token)
