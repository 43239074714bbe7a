"""What the operating system's errors on a volume mean to the caller."""

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
    """Turn errors of a volume that is full or broken into ours; others pass through.

    Args:
        volume: What the volume is for, such as ``artifact``; the texts name it.
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
