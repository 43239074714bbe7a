"""Weights files that a client names."""

from collections.abc import Iterable
from pathlib import Path

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.weights import WEIGHT_SUFFIXES
from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.shown_text import shown


def read_weights_file(text: str, paths: PathPolicy, folders: Iterable[str | Path]) -> bytes:
    """Read the file that a client means.

    Args:
        text: its path as sent; ``.pt``, ``.ckpt`` or ``.safetensors`` may be left out.
        paths: what may be read.
        folders: where relative paths are looked up first.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it may not or cannot be read.
        Exhausted: it does not fit into memory.
    """
    path = paths.readable(text, folders, WEIGHT_SUFFIXES)
    try:
        with map_out_of_memory("The weights file"):
            return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"Weights '{shown(text)}' cannot be read; is it a readable file?"
        ) from error
