"""The published weights file: ``{"state_dict": {node: {key: tensor}}, "metadata": {...}}``."""

import io
from collections.abc import Mapping
from typing import Any

import torch

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.weights.state import fitted_nodes, state_of
from fleet_engine.weights.torch_file import FITTED


def write_published(pipeline: Pipeline, metadata: Mapping[str, Any]) -> bytes:
    """Return the state of all nodes and a description in the published layout.

    The description also lists the fitted nodes, so that a pipeline that was saved without a fit
    does not appear to be fitted when it is loaded.
    """
    state = {
        name: {key: value.cpu().clone() for key, value in values.items()}
        for name, values in state_of(pipeline).items()
    }
    described = {**metadata, FITTED: list(fitted_nodes(pipeline))}
    buffer = io.BytesIO()
    torch.save({"state_dict": state, "metadata": described}, buffer)
    return buffer.getvalue()
