"""Errors of the domain, independent of any transport.

::

    AppError
    ├── InvalidInput        the input is malformed, missing or inconsistent
    ├── NotFound            a session, file or artifact does not exist
    ├── OutOfOrder          another call, or another state, is required first
    ├── Exhausted           a limit was reached: size, queue, memory
    ├── DependencyDown      the store, the volume or a peer does not answer
    ├── Conflict            another caller changed the same record at the same time
    ├── Cancelled           the caller cancelled the work
    └── DeadlinePassed      the caller's deadline has passed
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
