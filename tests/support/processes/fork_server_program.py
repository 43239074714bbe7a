"""A program that serves in a forked process; its module is run with WHAT as its argument.

Its serving process prints its id to standard output and then does WHAT.
"""

import os
import signal
import sys
import time
from functools import partial

from fleet_platform.fork_server import ForkServer
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import configure_logs

STOPPED = 3


def _serve(what: str) -> int:
    stopped: list[int] = []
    if what != "heed nothing":
        signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    print(os.getpid(), flush=True)
    if what.startswith("exit "):
        return int(what.removeprefix("exit "))
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    while not stopped:
        time.sleep(0.01)
    return STOPPED


if __name__ == "__main__":
    configure_logs("fork_server", ServiceSettings())
    sys.exit(ForkServer(partial(_serve, sys.argv[1])).run())
