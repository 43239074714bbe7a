"""Renders Graphviz text as an image with the ``dot`` program.

The Python package ``graphviz`` starts the same program but has no time limit, and the time that
Graphviz takes grows without bound with the number of crossing connections.
"""

import shutil
import subprocess
from threading import BoundedSemaphore

from fleet_platform.errors import Exhausted
from fleet_platform.rpc import Call, acquire_slot
from fleet_platform.telemetry import logger

_DPI = 110
_MAX_INCHES = 80  # 80 by 80 inches at this resolution take 310 MB in the `dot` process
_RETRY_AFTER_S = 2
_log = logger("fleet.inference")


class Graphviz:
    """Runs a limited number of ``dot`` processes at a time, each with a time limit."""

    def __init__(
        self, *, max_processes: int = 2, max_wait_s: float = 5.0, max_run_s: float = 10.0
    ) -> None:
        """Create a renderer.

        Args:
            max_processes: number of processes that may run at the same time.
            max_wait_s: longest time that a call waits before it may start one.
            max_run_s: time limit of one process.
        """
        self._slots = BoundedSemaphore(max_processes)
        self._max_wait_s = max_wait_s
        self._max_run_s = max_run_s

    def render(self, dot_text: str, image_format: str, call: Call) -> bytes | None:
        """Render a graph.

        Args:
            dot_text: the graph in the DOT language.
            image_format: ``png`` or ``svg``.
            call: limits how long this may wait.

        Returns:
            The image file, or None if Graphviz is not installed or cannot write this format.

        Raises:
            Exhausted: all processes are busy, or this one takes too long.
            Cancelled, DeadlinePassed: the caller is no longer waiting; nothing was rendered.
        """
        program = shutil.which("dot")
        if program is None:
            return None
        busy = Exhausted(
            f"Other pipelines are being drawn; try again in {_RETRY_AFTER_S} s.",
            retry_after_s=_RETRY_AFTER_S,
        )
        with acquire_slot(self._slots, call, limit_s=self._max_wait_s, busy=busy):
            return _run(program, dot_text, image_format, call.max_wait_s(self._max_run_s))


def _run(program: str, dot_text: str, image_format: str, max_run_s: float) -> bytes | None:
    command = [program, f"-T{image_format}", f"-Gsize={_MAX_INCHES},{_MAX_INCHES}"]
    if image_format == "png":
        command.append(f"-Gdpi={_DPI}")
    try:
        done = subprocess.run(
            command, input=dot_text.encode(), capture_output=True, timeout=max_run_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Exhausted(
            f"Drawing the pipeline takes longer than {max_run_s:.0f} s. Request the format dot or "
            "mermaid and render it yourself."
        ) from None
    if done.returncode:
        text = done.stderr[:500].decode(errors="replace")
        _log.warning("graphviz.failed", status=done.returncode, error=text)
        return None
    return done.stdout
