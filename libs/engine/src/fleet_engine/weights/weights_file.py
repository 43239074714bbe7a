"""Weights files that a client names."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.weights.reading import WEIGHT_SUFFIXES
from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.shown_text import shown


class WeightsFile(NamedTuple):
    """A weights file that was read: its absolute path and its content."""

    path: Path
    content: bytes


def read_weights_file(
    text: str, paths: PathPolicy, search_paths: Iterable[str | Path]
) -> WeightsFile:
    """Read the weights file that a client means.

    Args:
        text: Its path as sent; ``.pt``, ``.ckpt`` or ``.safetensors`` may be left out.
        paths: Which files may be read.
        search_paths: Folders in which relative paths are looked up first.

    Raises:
        NotFound: the file does not exist.
        InvalidInput: it may not or cannot be read.
        Exhausted: it does not fit into memory.
    """
    path = paths.readable(text, search_paths, WEIGHT_SUFFIXES)
    try:
        with map_out_of_memory("The weights file"):
            return WeightsFile(path, path.read_bytes())
    except OSError as error:
        raise InvalidInput(
            f"Weights '{shown(text)}' cannot be read; is it a readable file?"
        ) from error
