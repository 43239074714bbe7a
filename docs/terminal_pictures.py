"""Takes pictures of ``cuvis-fleet`` in a terminal: ``python -m docs.terminal_pictures``.

A stack is started, the commands run in a pty beside it, and what the terminal showed becomes SVG.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from fleet_local.background import background_stack
from fleet_local.ports import free_ports
from tests.e2e.conftest import stack_environment
from tests.e2e.scene import make_scene, write_npz
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
    """Run each command and draw what it showed."""
    folder.mkdir(parents=True, exist_ok=True)
    with _stack() as environment:
        for name, command in _COMMANDS.items():
            with terminal([_PROGRAM, *command], environment, columns=_COLUMNS) as running:
                code = running.exit_code()
            if code:
                raise SystemExit(f"{' '.join(command)} ended with {code}:\n{running.text}")
            shown = " ".join(word for word in command if "=" not in word)
            frame = _last_frame(running.raw, _SHOWN[name])
            _draw(f"cuvis-fleet {shown}", frame, folder / f"{name}.svg")


@contextmanager
def _stack() -> Iterator[Mapping[str, str]]:
    """Run a stack in the block; yields the environment of a person beside it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_npz(make_scene(), folder / "data" / "scene.npz")
        port = free_ports(1)[0]
        settings = stack_environment(folder, folder / "data", {})
        with background_stack(port, folder / "run", settings) as stack:
            yield {
                "PATH": os.environ["PATH"],
                "HOME": name,
                "LANG": "C.UTF-8",
                "TERM": "xterm-256color",
                "CUVIS_FLEET_ADDRESS": stack.address,
            }


def _last_frame(raw: str, pattern: str) -> str:
    """The last of what was drawn over one another that has `pattern` in it."""
    return next(frame for frame in reversed(_REDRAWN.split(raw)) if re.search(pattern, frame))


def _draw(title: str, frame: str, path: Path) -> None:
    """Draw a frame in the system's own font for code."""
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
