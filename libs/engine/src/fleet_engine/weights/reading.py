"""Weights of every accepted form, behind one function."""

from collections.abc import Sequence

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.loaded_weights import LoadedWeights
from fleet_engine.weights.safetensors_file import is_safetensors, read_safetensors
from fleet_engine.weights.state import load_state
from fleet_engine.weights.torch_file import read_torch_file
from fleet_platform.errors import InvalidInput

WEIGHT_SUFFIXES = ("", ".pt", ".ckpt", ".safetensors")
"""What may be missing at the end of a weights file's path, in the order of trial."""


def read_weights(content: bytes, nodes: Sequence[str]) -> LoadedWeights:
    """Read a weights file, whatever its name: its first bytes tell the form.

    Args:
        content: a published ``.pt``, a Lightning ``.ckpt`` (of the published trainer or of this
            project's) or a ``.safetensors`` file.
        nodes: names of the pipeline's nodes in its order; checkpoints of the published trainer give
            numbers for names.

    Raises:
        InvalidInput: empty, damaged, of another layout, or holding what would run code.
    """
    if not content:
        raise InvalidInput("The weights are empty; send a .pt, .ckpt or .safetensors file.")
    if is_safetensors(content):
        return read_safetensors(content)
    return read_torch_file(content, nodes)


def load_weights(pipeline: Pipeline, content: bytes, *, strict: bool) -> None:
    """Take over the weights of a file of any form: wholly, or not at all.

    Args:
        pipeline: what to fill.
        content: the file, as `read_weights` reads it.
        strict: every key of every node must be given, and no other.

    Raises:
        InvalidInput: no weights file.
        WeightsMismatch: it was written for another pipeline; the text names node, key and shapes.
    """
    weights = read_weights(content, list(pipeline.nodes))
    load_state(pipeline, weights.state, strict=strict, fitted=weights.fitted)
