"""Write the tables of ``docs/errors.md`` from the rows that the tests hold the servers to.

``python -m docs.errors_table`` puts them between the document's markers; with ``--check`` it writes
nothing and fails when the document says something else.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from docs.marked_tables import replace_table, write_or_check
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.errors.row import ProvenElsewhere, Told
from tests.e2e.errors.rows.every_method import GENERAL
from tests.e2e.errors.table import NOTES, TABLE

DOCUMENT = Path(__file__).resolve().parent / "errors.md"


def replace_tables(document: str) -> str:
    """`document` with the tables between its markers made anew."""
    for name, content in (("every method", _table(GENERAL)), ("methods", _methods())):
        document = replace_table(document, name, content)
    return document


def _methods() -> str:
    rows = _by_method(TABLE)
    parts = []
    for service, methods in METHODS_BY_SERVICE.items():
        parts.append(f"## The {service} service\n")
        parts += [_method(method, rows.get(method, [])) for method in sorted(methods)]
    return "\n".join(parts)


def _method(name: str, rows: list[Told]) -> str:
    told = _table(rows) if rows else "No errors but those of every method.\n"
    return "\n".join([f"### {name}\n", *([f"{NOTES[name]}\n"] if name in NOTES else []), told])


def _by_method(rows: Iterable[Told]) -> Mapping[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for row in rows:
        found.setdefault(row.method, []).append(row)
    return found


def _table(rows: Iterable[Told]) -> str:
    lines = ["| case | code | text | what to do |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.name} | {_code(row)} | {_quoted(row.text)} | {row.remedy} |" for row in rows]
    return "\n".join(lines) + "\n"


def _code(row: Told) -> str:
    return row.code if isinstance(row, ProvenElsewhere) else row.code.name


def _quoted(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else "the transport's own"


def main() -> int:
    """Run the command line; returns the exit status."""
    return write_or_check(
        DOCUMENT,
        replace_tables,
        sys.argv[1:],
        source="the table of errors",
        command="python -m docs.errors_table",
    )


if __name__ == "__main__":
    sys.exit(main())
