"""Takes pictures of ``cuvis-fleet`` in a terminal: ``python -m docs.terminal_pictures``.

The commands run in a pty against a new stack, and the content of the terminal is drawn as SVG.
"""

import os
import re
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from docs.picture_stack import picture_stack
from tests.support.terminal import terminal

FOLDER = Path(__file__).resolve().parent / "img" / "cli"
_PROGRAM = Path(sys.executable).with_name("cuvis-fleet")
_COLUMNS = 92
_ADDRESS = "localhost:50051"
_COMMANDS = {
    "doctor": ("doctor",),
    "train": (
        *("train", "channel_selector", "--watch", "data.cu3s_file_path=scene.npz"),
        *("data.annotation_json_path=null", "training.trainer.max_epochs=12"),
    ),
}
_SHOWN = {"doctor": "Graphviz", "train": r"(Training|Validating) \([1-9]"}
_FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
_FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_REDRAWN = re.compile(r"(?:\r?\x1b\[2K(?:\x1b\[1A)?)+")


def take_pictures(folder: Path) -> None:
    """Run each command and draw its output."""
    folder.mkdir(parents=True, exist_ok=True)
    with picture_stack() as (address, home):
        environment = _environment(address, home)
        for name, command in _COMMANDS.items():
            with terminal([_PROGRAM, *command], environment, columns=_COLUMNS) as running:
                code = running.exit_code()
            if code:
                raise SystemExit(f"{' '.join(command)} ended with {code}:\n{running.text}")
            shown = " ".join(word for word in command if "=" not in word)
            frame = _last_frame(running.raw, _SHOWN[name])
            _draw(f"cuvis-fleet {shown}", frame, folder / f"{name}.svg")


def _environment(address: str, home: Path) -> Mapping[str, str]:
    """Return the environment of a user with a terminal next to the stack."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "CUVIS_FLEET_ADDRESS": address,
    }


def _last_frame(raw: str, pattern: str) -> str:
    """Return the last of the frames, drawn over one another, that matches `pattern`."""
    return next(frame for frame in reversed(_REDRAWN.split(raw)) if re.search(pattern, frame))


def _draw(title: str, frame: str, path: Path) -> None:
    """Draw a frame in the system's monospaced font."""
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    for line in frame.strip("\r\n").splitlines():
        text = Text.from_ansi(re.sub(r"\x1b\[\?\d+[hl]", "", line))
        text.rstrip()
        console.print(text)
    svg = console.export_svg(
        title=title, code_format=_FONTS.sub("", CONSOLE_SVG_FORMAT), unique_id=path.stem
    ).replace("Fira Code, monospace", _FONT)
    path.write_text(re.sub(r"127\.0\.0\.1:\d+", _ADDRESS, svg), encoding="utf-8")


if __name__ == "__main__":
    take_pictures(FOLDER)
