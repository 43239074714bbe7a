"""The environment that the documentation's commands name."""

import sys
from pathlib import Path


def put_python(folder: Path) -> None:
    """Make ``.venv/bin/python`` of `folder` the interpreter that runs the tests."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
