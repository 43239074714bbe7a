"""Options that both commands of the demo share."""

from pathlib import Path
from typing import Annotated

import typer

DATA = Annotated[
    Path | None,
    typer.Option(help="ENVI header, .mat, .npz, .npy or .tif; default: a synthetic scene."),
]
DATA_DIR = Annotated[
    Path, typer.Option(envvar="DATA_DIR", help="Folder that the server reads from.")
]
OUTPUT_DIR = Annotated[Path, typer.Option(envvar="OUTPUT_DIR", help="Folder for the figure.")]
