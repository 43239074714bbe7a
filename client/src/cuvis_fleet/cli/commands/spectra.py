"""``cuvis-fleet spectra``: draws the spectra of pixels of a file."""

from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.commands.number_list import numbers
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.formats import read_scene


def spectra(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help=".npz, .npy, ENVI header, .mat or .tif.")],
    *,
    pixel: Annotated[
        list[str], typer.Option(metavar="Y,X", help="Row and column, from 0; repeatable.")
    ],
    out: Annotated[Path, typer.Option(help="Picture to draw: .png, .svg or .pdf.")],
    measurement: Annotated[int, typer.Option(min=0, help="Index of the cube in the file.")] = 0,
) -> None:
    """Plot the spectra of selected pixels of the scene in a file, without a server."""
    from cuvis_fleet import pictures

    invocation = current_invocation(context)
    pixels = []
    for text in pixel:
        row, column = numbers(int, text, 2, "--pixel", "17,23")
        pixels.append((row, column))
    pictures.check_path(out)
    scene = read_scene(file, measurement)
    figure = pictures.spectra(
        scene.cube_HWC, scene.wavelengths_nm, pixels, title=f"Spectra of {scene.name}"
    )
    pictures.save(figure, out)
    invocation.report.result({"path": str(out)}, f"drawn: {out}")
