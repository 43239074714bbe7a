"""Resident memory of a process."""

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int | None = None) -> int:
    """Return the resident memory of a process, in bytes.

    Args:
        pid: Id of the process; None: this one.

    Raises:
        OSError: the process has ended.
    """
    which = "self" if pid is None else pid
    pages = Path(f"/proc/{which}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * _PAGE_BYTES
