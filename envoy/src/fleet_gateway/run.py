"""Runs Envoy and lets its calls end before it does: ``python -m fleet_gateway.run FOLDER``.

What containers start. Envoy by itself ends at once on SIGTERM and cuts the calls that run. Here it
first asks its clients to go elsewhere and gets `stop_grace_s` until its last call has ended.
"""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from fleet_gateway.gateway_files import write_gateway_files
from fleet_gateway.settings import GatewaySettings
from fleet_gateway.unusable_file import UnusableFile

_LOOK_EVERY_S = 0.2
_LIMIT_S = 2.0
_ACTIVE = "http.public.downstream_rq_active"


def run(settings: GatewaySettings, folder: Path) -> int:
    """Run Envoy until a signal or until it ends by itself; returns the exit code.

    Raises:
        UnusableFile: a file of keys or certificates is not as it should be.
    """
    path = write_gateway_files(settings, folder)
    # Unlike an event, it may be told by a handler that interrupts the very wait for it.
    told: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.put(number))
    envoy = subprocess.Popen(
        [
            *("envoy", "-c", str(path), "--disable-hot-restart", "--log-level", "warning"),
            *("--drain-strategy", "immediate", "--drain-time-s", "1"),
        ],
        # Ctrl-C reaches the whole group of a terminal; this process passes it on in its own time.
        start_new_session=True,
    )
    while envoy.poll() is None:
        with suppress(Empty):
            told.get(timeout=_LOOK_EVERY_S)
            break
    else:
        return envoy.returncode
    _drain(settings, envoy)
    envoy.terminate()
    return envoy.wait()


def _drain(settings: GatewaySettings, envoy: "subprocess.Popen[bytes]") -> None:
    admin = f"http://127.0.0.1:{settings.admin_port}"
    pause = threading.Event()
    try:
        _ask(f"{admin}/drain_listeners?graceful", method="POST")
        for _ in range(int(settings.stop_grace_s / _LOOK_EVERY_S)):
            stats = json.loads(_ask(f"{admin}/stats?format=json&filter=^{_ACTIVE}$"))
            active = sum(each["value"] for each in stats["stats"])
            if active == 0 or envoy.poll() is not None:
                return
            pause.wait(_LOOK_EVERY_S)
    except OSError as error:
        sys.stderr.write(f"Envoy's admin port does not answer, so calls are cut: {error}\n")


def _ask(url: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (http on loopback)
    with urllib.request.urlopen(request, timeout=_LIMIT_S) as answer:  # noqa: S310
        return bytes(answer.read())


def main(arguments: list[str]) -> int:
    """Do it; returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        return run(GatewaySettings(), Path(arguments[0]))
    except UnusableFile as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
