"""Temporary directory of this process, removed at exit."""

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
    """Return the temporary directory of this process, created at the first call.

    It is below the system's temporary directory and removed when the process exits. Directories of
    killed processes are removed first: each process locks its directory, and the system releases
    the lock when the process dies.
    """
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # Locked before it gets the name that other processes look for.
    unlocked = folder / ".lock"
    fcntl.flock(os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600), fcntl.LOCK_EX)
    unlocked.rename(folder / _LOCK)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # Another process may be removing it, or it belongs to another user.
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
