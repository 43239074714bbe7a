"""Tables of documents that are made from code, each between two markers of its name."""

import sys
from collections.abc import Callable
from pathlib import Path


def replace_table(document: str, name: str, table: str) -> str:
    """`document` with `table` between the markers ``name: begin`` and ``name: end``."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    head, _, rest = document.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{table}{end}{tail}"


def cell(text: str) -> str:
    """`text` as it stands in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def write_or_check(
    path: Path, make: Callable[[str], str], arguments: list[str], *, source: str, command: str
) -> int:
    """Write a document anew or, with ``--check``, say whether it is as it would be written.

    Args:
        path: of the document.
        make: the document as it should be, from the one that there is.
        arguments: of the command line.
        source: what its tables are made from, for people.
        command: what writes it, for people.

    Returns:
        The exit status.
    """
    text = path.read_text(encoding="utf-8")
    current = make(text)
    if "--check" not in arguments:
        path.write_text(current, encoding="utf-8")
        return 0
    if text != current:
        sys.stderr.write(f"{path.name} does not say what {source} says.\nRun: {command}\n")
        return 1
    sys.stdout.write(f"{path.name} says what {source} says\n")
    return 0
