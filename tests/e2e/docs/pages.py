"""Which documents are for people to follow."""

from pathlib import Path

from tests.support.stacks import REPOSITORY

FOLLOWED_ELSEWHERE = {REPOSITORY / "docs" / "extending.md"}
"""``test_extending.py`` follows it in a copy of the project."""


def pages() -> list[Path]:
    """All of them but those that are followed elsewhere, sorted."""
    found = {
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob("services/*/README.md"),
        REPOSITORY / "client" / "README.md",
        REPOSITORY / "examples" / "README.md",
    }
    return sorted(found - FOLLOWED_ELSEWHERE)
