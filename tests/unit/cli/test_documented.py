"""The documentation and the help list the commands."""

from typer.testing import CliRunner

from cuvis_fleet.cli.app import app
from cuvis_fleet.cli.exit_code import MEANINGS
from docs import commands_table


def test_the_generated_tables_are_current():
    text = commands_table.DOCUMENT.read_text(encoding="utf-8")
    assert commands_table.replace_tables(text) == text, "run: python -m docs.commands_table"


def test_the_help_has_every_exit_code():
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    for code, meaning in MEANINGS.items():
        assert f"{code.value}: {meaning}" in shown
