"""Reads weights files of all accepted formats."""

from collections.abc import Sequence

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.loaded_weights import LoadedWeights
from fleet_engine.weights.safetensors_file import is_safetensors, read_safetensors
from fleet_engine.weights.state import load_state
from fleet_engine.weights.torch_file import read_torch_file
from fleet_platform.errors import InvalidInput

WEIGHT_SUFFIXES = ("", ".pt", ".ckpt", ".safetensors")
"""Suffixes that a path of weights may omit, in the order in which they are tried."""


def read_weights(content: bytes, nodes: Sequence[str]) -> LoadedWeights:
    """Read a weights file; its first bytes determine the format.

    Args:
        content: a published ``.pt``, a Lightning ``.ckpt`` (of the published trainer or this
            project's) or a ``.safetensors`` file.
        nodes: names of the pipeline's nodes in its order; checkpoints of the published trainer use
            numbers instead of names.

    Raises:
        InvalidInput: the file is empty, damaged, has an unknown layout, or could run code.
    """
    if not content:
        raise InvalidInput("The weights are empty; send a .pt, .ckpt or .safetensors file.")
    if is_safetensors(content):
        return read_safetensors(content)
    return read_torch_file(content, nodes)


def load_weights(pipeline: Pipeline, content: bytes, *, strict: bool) -> None:
    """Load the weights of a file of any format, either completely or not at all.

    Args:
        pipeline: the pipeline to load into.
        content: the file, in a format that `read_weights` accepts.
        strict: the file must contain every key of every node and no others.

    Raises:
        InvalidInput: the file is not a weights file.
        WeightsMismatch: it was written for another pipeline; the text names node, key and shapes.
    """
    weights = read_weights(content, list(pipeline.nodes))
    load_state(pipeline, weights.state, strict=strict, fitted=weights.fitted)
