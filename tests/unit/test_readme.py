"""What the README states is what the code says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_settings_table_is_current():
    spec = importlib.util.spec_from_file_location("settings_table", ROOT / "docs/settings_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    readme = module.README.read_text(encoding="utf-8")
    assert module.replace_table(readme) == readme, "run: python docs/settings_table.py --write"


def test_files_that_the_readme_shows_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("docs/img/demo.png", "docs/img/architecture.svg", "docs/adr", "CONTRIBUTING.md"):
        assert target in readme
        assert (ROOT / target).exists(), target
