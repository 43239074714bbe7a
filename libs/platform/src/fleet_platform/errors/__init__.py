"""Errors of the domain, free of any transport.

::

    AppError
    ├── InvalidInput        what the caller sent is malformed, missing or does not fit
    ├── NotFound            a session, file or artifact that was named does not exist
    ├── OutOfOrder          the call needs another call first, or another state
    ├── Exhausted           a bound was reached: size, queue, memory
    ├── DependencyDown      the store, the volume or a peer does not answer
    ├── Conflict            somebody else changed the same thing at the same time
    ├── Cancelled           the caller asked for it to stop
    └── DeadlinePassed      nobody waits for the answer any more
"""

from fleet_platform.errors.app_error import (
    AppError,
    Cancelled,
    Conflict,
    DeadlinePassed,
    DependencyDown,
    Exhausted,
    InvalidInput,
    NotFound,
    OutOfOrder,
)
from fleet_platform.errors.reason import Reason

__all__ = [
    "AppError",
    "Cancelled",
    "Conflict",
    "DeadlinePassed",
    "DependencyDown",
    "Exhausted",
    "InvalidInput",
    "NotFound",
    "OutOfOrder",
    "Reason",
]
