"""Which process of a part answers calls."""

import psutil

from fleet_local.background import BackgroundStack


def serving_pid(stack: BackgroundStack, name: str) -> int:
    """The process of a part that serves: forked from the part's, or that itself; 0: none now."""
    pid = stack.part(name)["pid"]
    if not pid:
        return 0
    try:
        part = psutil.Process(pid)
        command = part.cmdline()
        forked = [child.pid for child in part.children() if child.cmdline() == command]
    except psutil.NoSuchProcess:
        return 0
    return forked[0] if forked else pid
