"""What the README states is what the code says."""

from pathlib import Path

from docs import settings_table

ROOT = Path(__file__).resolve().parents[2]


def test_settings_table_is_current():
    readme = settings_table.README.read_text(encoding="utf-8")
    current = settings_table.replace_settings(readme)
    assert current == readme, "run: python -m docs.settings_table --write"


def test_files_that_the_readme_shows_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("docs/img/demo.png", "docs/img/architecture.svg", "docs/adr", "CONTRIBUTING.md"):
        assert target in readme
        assert (ROOT / target).exists(), target
