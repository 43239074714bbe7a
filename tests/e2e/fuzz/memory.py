"""How much memory the processes of a stack hold, and how much more than before."""

import json
from collections.abc import Mapping
from contextlib import suppress

import psutil

from fleet_local.background import BackgroundStack
from tests.support.polling import wait_until

GROWTH_BYTES = 20 * 1000**2
"""How much more than before a process may hold once its work is done."""

_DEADLINE_S = 300.0


def resident_bytes(stack: BackgroundStack) -> dict[str, int]:
    """Resident memory of each part, and of the largest child of each that has some."""
    state = json.loads((stack.run_dir / "parts.json").read_text(encoding="utf-8"))
    resident = {}
    for name, part in state.items():
        process = psutil.Process(part["pid"])
        resident[name] = process.memory_info().rss
        children = []
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it may end at any time
                children.append(child.memory_info().rss)
        if children:
            resident[f"{name}'s child"] = max(children)
    return resident


def assert_given_back(stack: BackgroundStack, before: Mapping[str, int]) -> None:
    """Each process holds at most 20 MB more than before, now or soon."""
    grown: dict[str, int] = {}

    def given_back() -> bool:
        now = resident_bytes(stack)
        grown.clear()
        grown.update(
            {
                name: now[name] - size
                for name, size in before.items()
                if now.get(name, 0) > size + GROWTH_BYTES
            }
        )
        return not grown

    with suppress(AssertionError):
        wait_until(given_back, "memory is given back", _DEADLINE_S)
    assert grown == {}, f"bytes more than before: {grown}"
