"""The documents whose snippets are run."""

from pathlib import Path

from tests.support.stacks import REPOSITORY

RUN_ELSEWHERE = {REPOSITORY / "docs" / "extending.md"}
"""``test_extending.py`` runs it in a copy of the project."""


def pages() -> list[Path]:
    """Return all documents except those that are run elsewhere, sorted."""
    found = {
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob("services/*/README.md"),
        REPOSITORY / "client" / "README.md",
        REPOSITORY / "examples" / "README.md",
    }
    return sorted(found - RUN_ELSEWHERE)
