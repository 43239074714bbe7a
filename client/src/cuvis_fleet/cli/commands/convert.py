"""``cuvis-fleet convert``: converts scenes between file formats."""

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
        int | None, typer.Option(min=0, help="Index of the only cube to write; default: all.")
    ] = None,
) -> None:
    """Convert a scene between .npz, .npy, ENVI (.hdr), .mat and .tif, chosen by suffix."""
    invocation = current_invocation(context)
    left_out = convert_file(source, target, measurement=measurement)
    document = {"path": str(target), "left_out": list(left_out)}
    omitted = f" (without {', '.join(left_out)}: not supported by the format)" if left_out else ""
    invocation.report.result(document, f"written: {target}{omitted}")
