"""The virtual environment that the commands in the documentation use."""

import sys
from pathlib import Path


def put_environment(folder: Path) -> None:
    """Create ``.venv/bin`` in `folder` with the tests' interpreter and command line."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    commands = {
        "python": sys.executable,
        "cuvis-fleet": str(Path(sys.executable).with_name("cuvis-fleet")),
    }
    for name, command in commands.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{command}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
