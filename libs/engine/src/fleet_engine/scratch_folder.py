"""Where this process keeps files that nobody needs once it has ended, however it ends."""

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

_PREFIX = "fleet_scratch_"
_LOCK = "lock"


@cache
def scratch_folder() -> Path:
    """Return this process's folder, made at the first call.

    It is below the system's folder for temporary files and removed when the process ends. What
    processes that were killed have left there is removed first: each holds a lock on its folder
    that the system takes from it when it dies.
    """
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # Locked before it has the name by which others find it.
    unlocked = folder / ".lock"
    fcntl.flock(os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600), fcntl.LOCK_EX)
    unlocked.rename(folder / _LOCK)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # One that another process removes at this moment, or that belongs to another user.
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
