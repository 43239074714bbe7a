"""Write the tables of ``docs/errors/`` from the rows that the tests expect of the servers.

``python -m docs.errors_table`` replaces the tables between each page's markers; with ``--check`` it
writes nothing and fails if a page is out of date.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from docs.marked_tables import replace_table, write_or_check
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.errors.row import RowTestedElsewhere, TableRow
from tests.e2e.errors.rows.every_method import GENERAL
from tests.e2e.errors.rows.gateway import ROWS as GATEWAY
from tests.e2e.errors.rows.recurring import unknown_session
from tests.e2e.errors.table import NOTES, TABLE

_EVERY_METHOD = "[every method](index.md#every-method)"
_WITH_A_SESSION = (
    f"{_EVERY_METHOD} and of [methods with a session](index.md#methods-with-a-session)"
)
_EXPIRED_SESSION = unknown_session(method="")

FOLDER = Path(__file__).resolve().parent / "errors"
PAGES = {name: FOLDER / f"{name}.md" for name in ("index", "gateway", *METHODS_BY_SERVICE)}
"""The pages by name: the overview, the gateway's page, and one for each service."""


def replace_tables(name: str, page: str) -> str:
    """Return the content of the page `name` with current tables between its markers."""
    if name == "index":
        page = replace_table(page, "every method", _table(GENERAL))
        return replace_table(page, "sessions", _table([_EXPIRED_SESSION]))
    if name == "gateway":
        return replace_table(page, "gateway", _table(GATEWAY))
    return replace_table(page, "methods", _methods(METHODS_BY_SERVICE[name]))


def _methods(names: Iterable[str]) -> str:
    rows = _by_method(TABLE)
    return "\n".join(_method(name, rows.get(name, [])) for name in sorted(names))


def _method(name: str, rows: list[TableRow]) -> str:
    content = [NOTES[name]] if name in NOTES else []
    specific = [row for row in rows if not _is_expired_session(row)]
    if specific:
        content.append(_table(specific).removesuffix("\n"))
    else:
        content.append(f"Only the errors of {_WITH_A_SESSION if rows else _EVERY_METHOD}.")
    return "\n\n".join([f"## {name}", *content]) + "\n"


def _is_expired_session(row: TableRow) -> bool:
    expired = _EXPIRED_SESSION
    return (row.name, row.text, row.remedy) == (expired.name, expired.text, expired.remedy)


def _by_method(rows: Iterable[TableRow]) -> Mapping[str, list[TableRow]]:
    found: dict[str, list[TableRow]] = {}
    for row in rows:
        found.setdefault(row.method, []).append(row)
    return found


def _table(rows: Iterable[TableRow]) -> str:
    lines = ["| code | when | text | what to do |", "| --- | --- | --- | --- |"]
    lines += [f"| {_code(row)} | {row.name} | {_quoted(row.text)} | {row.remedy} |" for row in rows]
    return "\n".join(lines) + "\n"


def _code(row: TableRow) -> str:
    return row.code if isinstance(row, RowTestedElsewhere) else row.code.name


def _quoted(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else "(from gRPC)"


def main() -> int:
    """Run the command line; return the exit status."""
    return max(
        write_or_check(
            path,
            partial(replace_tables, name),
            sys.argv[1:],
            source="the table of errors",
            command="python -m docs.errors_table",
        )
        for name, path in PAGES.items()
    )


if __name__ == "__main__":
    sys.exit(main())
