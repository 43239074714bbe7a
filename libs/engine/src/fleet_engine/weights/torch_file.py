"""Files written by torch: pickles, of which only tensors and plain values are read."""

import io
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fleet_engine.out_of_memory import is_out_of_memory
from fleet_engine.weights.layout import outline, plain_tensor, wrong_layout
from fleet_engine.weights.lightning_checkpoint import by_node, is_flat
from fleet_engine.weights.loaded_weights import LoadedWeights
from fleet_platform.errors import InvalidInput

FITTED = "fitted_nodes"
"""Metadata key of the fitted nodes; other readers ignore it."""


def read_torch_file(content: bytes, nodes: Sequence[str]) -> LoadedWeights:
    """Read a published weights file or a Lightning checkpoint.

    Args:
        content: the file.
        nodes: names of the pipeline's nodes in its order.

    Raises:
        InvalidInput: the file is not a torch file, could run code, or has an unknown layout.
    """
    loaded = _load(content)
    if not isinstance(loaded, Mapping) or not isinstance(loaded.get("state_dict"), Mapping):
        raise wrong_layout(_found(loaded))
    state = loaded["state_dict"]
    if is_flat(state):
        return LoadedWeights(by_node(state, nodes))
    if not all(isinstance(k, str) and isinstance(v, Mapping) for k, v in state.items()):
        raise wrong_layout(f"a state_dict that is {outline(state)}")
    by_key = {
        name: {str(key): plain_tensor(f"{name}.{key}", value) for key, value in values.items()}
        for name, values in state.items()
    }
    return LoadedWeights(by_key, _fitted(loaded.get("metadata")))


def _load(content: bytes) -> Any:
    try:
        _refuse_growth(content)
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except InvalidInput:
        raise
    except pickle.UnpicklingError as error:
        raise InvalidInput(
            "The weights file contains more than tensors and plain values, or is damaged; it is "
            "not read, because that could run code. Needed: a file saved by SavePipeline, or a "
            "Lightning .ckpt of tensors and plain values."
        ) from error
    except Exception as error:  # damaged bytes may raise anything in the reader
        if is_out_of_memory(error):
            raise
        raise InvalidInput(
            "The weights file is damaged or is not a torch file. Needed: a .pt, .ckpt or "
            ".safetensors file."
        ) from error


def _refuse_growth(content: bytes) -> None:
    """Refuse an archive whose members are larger than itself: compressed or overlapping."""
    file = io.BytesIO(content)
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        size_bytes = sum(member.file_size for member in archive.infolist())
    if size_bytes > len(content):
        raise InvalidInput(
            f"The weights file unpacks from {len(content)} to {size_bytes} bytes; it is not read. "
            "Needed: tensors as torch.save writes them, not compressed."
        )


def _found(loaded: object) -> str:
    if isinstance(loaded, Mapping) and "state_dict" in loaded:
        return f"a state_dict that is {outline(loaded['state_dict'])}"
    return outline(loaded)


def _fitted(metadata: object) -> frozenset[str] | None:
    names = metadata.get(FITTED) if isinstance(metadata, Mapping) else None
    return frozenset(map(str, names)) if isinstance(names, list) else None
