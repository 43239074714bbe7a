"""``cuvis-fleet preview``: draws the scene of a file in false colour."""

from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.commands.number_list import numbers
from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.formats import read_scene


def preview(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help=".npz, .npy, ENVI header, .mat or .tif.")],
    *,
    out: Annotated[Path, typer.Option(help="Picture to draw: .png, .svg or .pdf.")],
    wavelengths: Annotated[
        str | None,
        typer.Option(
            metavar="R,G,B",
            help="Wavelengths in nm to show as red, green and blue; default: near infrared, red "
            "and green if the scene has them.",
        ),
    ] = None,
    measurement: Annotated[int, typer.Option(min=0, help="Index of the cube in the file.")] = 0,
) -> None:
    """Draw the scene in a file in false colour, without a server."""
    from cuvis_fleet import pictures

    invocation = current_invocation(context)
    rgb_nm = None
    if wavelengths is not None:
        rgb_nm = numbers(float, wavelengths, 3, "--wavelengths", "860,660,560")
    pictures.check_path(out)
    scene = read_scene(file, measurement)
    if rgb_nm is not None and scene.wavelengths_nm is None:
        raise CommandFailed(
            f"--wavelengths cannot select bands, because {file} has no wavelengths; without the "
            "option, three equally spaced bands are shown",
            ExitCode.INVALID_INPUT,
        )
    figure = pictures.preview(scene.cube_HWC, scene.wavelengths_nm, rgb_nm=rgb_nm, title=scene.name)
    pictures.save(figure, out)
    invocation.report.result({"path": str(out)}, f"drawn: {out}")
