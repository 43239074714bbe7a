"""``cuvis-fleet convert``: from one kind of file to another."""

from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.formats import convert as convert_file


def convert(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="IN", help="File to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write.")],
    measurement: Annotated[
        int | None, typer.Option(min=0, help="Number of the only cube to write; all without it.")
    ] = None,
) -> None:
    """Convert a scene between .npz, .npy, ENVI (.hdr), .mat and .tif, by the suffixes."""
    invocation = current_invocation(context)
    left_out = convert_file(source, target, measurement=measurement)
    document = {"path": str(target), "left_out": list(left_out)}
    lacking = f" (without {', '.join(left_out)}: the kind has no place for it)" if left_out else ""
    invocation.report.result(document, f"written: {target}{lacking}")
