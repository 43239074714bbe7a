"""The README and the reference of settings agree with the code."""

from pathlib import Path

from docs import settings_table

ROOT = Path(__file__).resolve().parents[2]


def test_settings_table_is_current():
    document = settings_table.DOCUMENT.read_text(encoding="utf-8")
    current = settings_table.replace_settings(document)
    assert current == document, "run: python -m docs.settings_table"


def test_files_that_the_readme_shows_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("docs/img/demo.png", "docs/img/architecture.svg", "docs/adr", "CONTRIBUTING.md"):
        assert target in readme
        assert (ROOT / target).exists(), target
