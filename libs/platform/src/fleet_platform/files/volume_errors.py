"""Converts the operating system's errors on a volume."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from fleet_platform.errors import DependencyDown, Exhausted

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DOWN = frozenset(
    {
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.ESTALE,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOTCONN,
        errno.ETIMEDOUT,
    }
)


@contextmanager
def volume_answers(volume: str) -> Iterator[None]:
    """Convert the errors that a full or unavailable volume causes to `AppError`.

    Args:
        volume: Purpose of the volume, such as ``artifact``, for error texts.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Exhausted(
                f"The {volume} volume is full; free some space and try again."
            ) from error
        if error.errno in _DOWN:
            raise DependencyDown(
                f"The {volume} volume cannot be used; try again in a moment."
            ) from error
        raise
