"""Levels of tests share code through `tests/support` alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SHARED = "support"


def _imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_level_imports_another():
    crossing = [
        f"{path.relative_to(TESTS)}: {module}"
        for path in sorted(TESTS.glob("*/**/*.py"))
        for module in _imported_modules(path)
        if module.startswith("tests.")
        and module.split(".")[1] not in (SHARED, path.relative_to(TESTS).parts[0])
    ]
    assert crossing == [], "move what two levels need to tests/support"
