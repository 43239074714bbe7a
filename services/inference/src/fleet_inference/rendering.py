"""Graphviz text to an image, by the ``dot`` program in a process of its own.

The Python package ``graphviz`` starts the same program, but cannot be told when to give up, and the
time that Graphviz takes grows without bound with the number of crossing connections.
"""

import shutil
import subprocess

from fleet_platform.errors import Exhausted
from fleet_platform.telemetry import logger

_MOST_S = 20.0
_DPI = 110
_LARGEST_INCHES = 80  # 80 by 80 inches at this resolution are 310 MB of pixels in that process
_log = logger("fleet.inference")


def render(dot_text: str, image_format: str, wait_s: float | None) -> bytes | None:
    """Draw a figure.

    Args:
        dot_text: the figure in the DOT language.
        image_format: ``png`` or ``svg``.
        wait_s: how long the caller still waits; None: without end.

    Returns:
        The image file, or None where Graphviz is not installed or cannot write this format.

    Raises:
        Exhausted: it took longer than 20 s, or than the caller waits.
    """
    program = shutil.which("dot")
    if program is None:
        return None
    limit_s = _MOST_S if wait_s is None else min(_MOST_S, wait_s)
    command = [program, f"-T{image_format}", f"-Gsize={_LARGEST_INCHES},{_LARGEST_INCHES}"]
    if image_format == "png":
        command.append(f"-Gdpi={_DPI}")
    try:
        done = subprocess.run(
            command, input=dot_text.encode(), capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Exhausted(
            f"Drawing the pipeline takes longer than {limit_s:.0f} s. Ask for the format dot or "
            "mermaid and draw it yourself."
        ) from None
    if done.returncode:
        _log.warning("graphviz.failed", status=done.returncode, said=done.stderr[:500].decode())
        return None
    return done.stdout
