"""Write the tables of ``docs/command-line.md`` from the commands themselves.

``python -m docs.commands_table`` puts them between the document's markers; with ``--check`` it
only reports whether the document is current.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cuvis_fleet.cli.app import app
from cuvis_fleet.cli.exit_code import MEANINGS
from docs.marked_tables import cell, replace_table, write_or_check

DOCUMENT = Path(__file__).resolve().parent / "command-line.md"


def replace_tables(document: str) -> str:
    """Return `document` with current tables between its markers."""
    root: Any = typer.main.get_command(app)
    for name, table in (
        ("options", _options(root)),
        ("commands", _commands(root)),
        ("exit codes", _exit_codes()),
    ):
        document = replace_table(document, name, table)
    return document


def _options(root: Any) -> str:
    lines = ["| option | environment | meaning |", "| --- | --- | --- |"]
    for option in _parameters(root, "option"):
        variables = f"`{option.envvar}`" if option.envvar else ""
        lines.append(f"| {_name(option)} | {variables} | {cell(option.help or '')} |")
    return "\n".join(lines) + "\n"


def _commands(root: Any) -> str:
    lines = ["| command | arguments and options | what it does |", "| --- | --- | --- |"]
    for name, command in _leaves(root, ""):
        words = [_word(each) for each in _parameters(command, "argument")]
        words += [_name(each) for each in _parameters(command, "option")]
        summary = (command.help or "").partition("\n\n")[0]
        lines.append(f"| `{name}` | {' '.join(words)} | {cell(summary)} |")
    return "\n".join(lines) + "\n"


def _exit_codes() -> str:
    lines = ["| code | meaning |", "| --- | --- |"]
    lines += [f"| {code.value} | {cell(meaning)} |" for code, meaning in MEANINGS.items()]
    return "\n".join(lines) + "\n"


def _leaves(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _parameters(command: Any, kind: str) -> list[Any]:
    return [
        each
        for each in command.params
        if each.param_type_name == kind and "--help" not in each.opts
    ]


def _word(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    word += "..." if argument.nargs == -1 else ""
    return f"`{word}`" if argument.required else f"`[{word}]`"


def _name(option: Any) -> str:
    return f"`{option.opts[0]}`"


def main() -> int:
    """Run the command line; return the exit status."""
    return write_or_check(
        DOCUMENT,
        replace_tables,
        sys.argv[1:],
        source="the command line",
        command="python -m docs.commands_table",
    )


if __name__ == "__main__":
    sys.exit(main())
