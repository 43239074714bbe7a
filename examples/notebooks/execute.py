"""Execute the notebooks of this folder against a running fleet.

Usage: ``python examples/notebooks/execute.py [HOST:PORT] [--data-dir DIR] [--into DIR]``. The
notebooks, with their outputs and without machine-specific metadata, replace those of this folder,
or are written to another folder.
"""

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import nbformat
from nbclient import NotebookClient

_FOLDER = Path(__file__).resolve().parent
_CELL_TIMEOUT_S = 300
_KEPT_METADATA = {"kernelspec", "language_info"}


def execute(source: Path, into: Path) -> None:
    """Execute a notebook and write it with its outputs.

    Raises:
        CellExecutionError: a cell failed; the text shows it.
    """
    notebook = nbformat.read(source, as_version=4)
    with tempfile.TemporaryDirectory() as working_dir:
        NotebookClient(
            notebook,
            timeout=_CELL_TIMEOUT_S,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": working_dir}},
        ).execute()
    _strip(notebook)
    nbformat.write(notebook, into / source.name)


def _strip(notebook: nbformat.NotebookNode) -> None:
    """Remove metadata that differs between machines and runs."""
    for key in set(notebook.metadata) - _KEPT_METADATA:
        del notebook.metadata[key]
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.clear()


def main() -> None:
    """Execute all notebooks."""
    parser = ArgumentParser(description="Execute the notebooks against a running fleet.")
    parser.add_argument("address", nargs="?", default="localhost:50051", metavar="HOST:PORT")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--into", type=Path, default=_FOLDER)
    arguments = parser.parse_args()
    # Kernels inherit these two variables, which the notebooks read.
    os.environ["CUVIS_FLEET_ADDRESS"] = arguments.address
    os.environ["DATA_DIR"] = str(arguments.data_dir.resolve())
    for source in sorted(_FOLDER.glob("*.ipynb")):
        execute(source, arguments.into)
        print(f"{source.name}: executed")


if __name__ == "__main__":
    main()
