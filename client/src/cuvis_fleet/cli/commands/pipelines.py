"""``cuvis-fleet pipelines``: lists, shows and draws the server's pipelines."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cuvis_fleet.cli.commands.completion import complete_pipeline
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.formats import UnwritableFile
from cuvis_fleet.formats.atomic_files import atomic_output

pipelines = typer.Typer(no_args_is_help=True)
NAME = Annotated[
    str,
    typer.Argument(
        help="Path from `pipelines list`, or a unique name.",
        autocompletion=complete_pipeline,
    ),
]
_FORMATS = {".png": "png", ".svg": "svg", ".dot": "dot", ".mmd": "mermaid"}


@pipelines.callback()
def describe() -> None:
    """List, show and draw the pipelines of the server."""


@pipelines.command("list")
def list_pipelines(
    context: typer.Context,
    tag: Annotated[str | None, typer.Option(help="List only pipelines with this tag.")] = None,
) -> None:
    """List the pipelines."""
    invocation = current_invocation(context)
    with invocation.connect() as client:
        found = client.pipelines(tag)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("path", "name", "weights", "tags", "description"):
        table.add_column(column, overflow="fold")
    for info in found:
        weights = "yes" if info.weights_path else "no"
        table.add_row(info.path, info.name, weights, ", ".join(info.tags), info.description)
    document = {"pipelines": [asdict(info) for info in found]}
    invocation.report.result(document, table if found else "the server offers no pipelines")


@pipelines.command()
def show(context: typer.Context, name: NAME) -> None:
    """Show the configuration of a pipeline."""
    invocation = current_invocation(context)
    with invocation.connect() as client:
        info = client.pipeline(name)
    shown = Syntax(info.yaml.rstrip(), "yaml", background_color="default", word_wrap=True)
    invocation.report.result(asdict(info), shown)


@pipelines.command()
def graph(
    context: typer.Context,
    name: NAME,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .png, .svg, .dot or .mmd (Mermaid)."),
    ] = None,
) -> None:
    """Draw a pipeline to a file, or print it as Mermaid text."""
    invocation = current_invocation(context)
    suffix = ".mmd" if out is None else out.suffix.lower()
    if suffix not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise UnwritableFile(f"{out} has an unknown format; graphs are drawn as {known}.")
    with invocation.connect() as client:
        drawn = client.draw(client.pipeline(name).yaml, _FORMATS[suffix])
    if out is None:
        text = drawn.decode()
        invocation.report.result({"format": "mermaid", "text": text}, Text(text.rstrip()))
        return
    with atomic_output(out) as unfinished:
        unfinished.write_bytes(drawn)
    document = {"format": _FORMATS[suffix], "path": str(out), "size_bytes": len(drawn)}
    invocation.report.result(document, f"drawn: {out}")
