"""Training data and command-line arguments that the examples share.

The demo's synthetic scene, cut into four measurements of 64 x 64 pixels, is written to the folder
that the server reads from, so the examples need neither a download nor Cubert's SDK.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene
from cuvis_fleet.formats import Scene, write_scenes

DATA_PATH = "examples/synthetic.npz"
"""Path below the folder that the server reads from."""

_TILE = 64
_ANOMALY_CLASS = 2
"""The shipped pipelines treat classes 0 and 1 as background."""


def example_parser(description: str) -> ArgumentParser:
    """Return a parser for the arguments that all training examples take."""
    parser = ArgumentParser(description=description)
    parser.add_argument("server_address", nargs="?", default="localhost:50051", metavar="HOST:PORT")
    parser.add_argument(
        "overrides",
        nargs="*",
        help="overrides in Hydra's grammar, such as training.trainer.max_epochs=3",
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path("data"), help="folder that the server reads from"
    )
    parser.add_argument(
        "--data", help="path of another file on the server to use instead of the synthetic scene"
    )
    return parser


def data_overrides(arguments: Namespace) -> list[str]:
    """Return the overrides that make a shipped trainrun use the chosen data."""
    if arguments.data is not None:
        return [f"data.cu3s_file_path='{arguments.data}'", "data.annotation_json_path=null"]
    write_synthetic_data(arguments.data_dir)
    return [
        f"data.cu3s_file_path={DATA_PATH}",
        "data.annotation_json_path=null",
        "data.train_ids=[0,1]",
        "data.val_ids=[2]",
        "data.test_ids=[3]",
    ]


def write_synthetic_data(data_dir: Path) -> Path:
    """Write the four measurements below the server's data folder; return the file."""
    cube, truth = make_synthetic_scene()
    tiles = [
        Scene(cube[tile], WAVELENGTHS_NM, _ANOMALY_CLASS * truth[tile])
        for row in (0, _TILE)
        for column in (0, _TILE)
        for tile in [(slice(row, row + _TILE), slice(column, column + _TILE))]
    ]
    path = data_dir / DATA_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scenes(tiles, path)
    return path
