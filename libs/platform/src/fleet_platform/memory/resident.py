"""What of a process is in memory."""

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int | None = None) -> int:
    """Bytes of a process that are in memory now.

    Args:
        pid: which process; None: this one.

    Raises:
        OSError: it has ended.
    """
    which = "self" if pid is None else pid
    pages = Path(f"/proc/{which}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * _PAGE_BYTES
