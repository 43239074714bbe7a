"""Generated tables in documents, each between two markers with its name."""

import sys
from collections.abc import Callable
from pathlib import Path


def replace_table(document: str, name: str, table: str) -> str:
    """Return `document` with `table` between the markers ``name: begin`` and ``name: end``."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    head, _, rest = document.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{table}{end}{tail}"


def cell(text: str) -> str:
    """Return `text` as the content of one table cell."""
    return " ".join(text.split()).replace("|", "\\|")


def write_or_check(
    path: Path, make: Callable[[str], str], arguments: list[str], *, source: str, command: str
) -> int:
    """Write the tables of a document or, with ``--check``, report whether they are current.

    Args:
        path: The document.
        make: Returns the current document, given the one on disk.
        arguments: Arguments of the command line.
        source: Where the tables come from, for the message.
        command: The command that writes the document, for the message.

    Returns:
        The exit status.
    """
    text = path.read_text(encoding="utf-8")
    current = make(text)
    if "--check" not in arguments:
        path.write_text(current, encoding="utf-8")
        return 0
    if text != current:
        sys.stderr.write(f"{path.name} is not current: {source} changed.\nRun: {command}\n")
        return 1
    sys.stdout.write(f"{path.name} agrees with {source}\n")
    return 0
