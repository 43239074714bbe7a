"""Shifts the wall clock of every Python process by up to half a day.

With this folder on its PYTHONPATH a process sees what it would on a host whose clock was never set.
Half an hour off each other at least, so that no two processes agree.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

_Time = TypeVar("_Time", int, float)

_STEP_S = 1800
_STEPS = 47


def _skewed(clock: Callable[[], _Time], per_second: int) -> Callable[[], _Time]:
    shift = (os.getpid() * 17 % _STEPS - _STEPS // 2) * _STEP_S * per_second

    def skewed() -> _Time:
        # gRPC's core reads the clock past Python; its other half must see the same one.
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))
        return clock() + (0 if caller.partition(".")[0] == "grpc" else shift)

    return skewed


time.time = _skewed(time.time, 1)
time.time_ns = _skewed(time.time_ns, 1_000_000_000)
