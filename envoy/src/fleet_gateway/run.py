"""Runs Envoy and drains it before it stops: ``python -m fleet_gateway.run FOLDER``.

The command of the gateway's container. Envoy alone exits immediately on SIGTERM and aborts running
calls. Here it first asks its clients to reconnect elsewhere, and running calls have `stop_grace_s`
to finish.
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

_POLL_S = 0.2
_ADMIN_TIMEOUT_S = 2.0
_ACTIVE_CALLS = "http.public.downstream_rq_active"


def run(settings: GatewaySettings, folder: Path) -> int:
    """Run Envoy until it exits or a signal arrives; return the exit code.

    Raises:
        UnusableFile: a file of keys or certificates is invalid.
    """
    path = write_gateway_files(settings, folder)
    # Unlike an event, a SimpleQueue may be used by a signal handler that interrupts its own wait.
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: signals.put(number))
    envoy = subprocess.Popen(
        [
            *("envoy", "-c", str(path), "--disable-hot-restart", "--log-level", "warning"),
            *("--drain-strategy", "immediate", "--drain-time-s", "1"),
        ],
        # Ctrl-C reaches the whole process group; this process stops Envoy after draining.
        start_new_session=True,
    )
    while envoy.poll() is None:
        with suppress(Empty):
            signals.get(timeout=_POLL_S)
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
        for _ in range(int(settings.stop_grace_s / _POLL_S)):
            stats = json.loads(_ask(f"{admin}/stats?format=json&filter=^{_ACTIVE_CALLS}$"))
            active = sum(each["value"] for each in stats["stats"])
            if active == 0 or envoy.poll() is not None:
                return
            pause.wait(_POLL_S)
    except OSError as error:
        sys.stderr.write(
            f"Envoy's admin port does not answer, running calls are aborted: {error}\n"
        )


def _ask(url: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(url, method=method)  # noqa: S310  (http on loopback)
    with urllib.request.urlopen(request, timeout=_ADMIN_TIMEOUT_S) as answer:  # noqa: S310
        return bytes(answer.read())


def main(arguments: list[str]) -> int:
    """Run the command; return the exit code."""
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
