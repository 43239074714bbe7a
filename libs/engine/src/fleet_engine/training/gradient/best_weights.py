"""Restores the best weights of a training from its checkpoint callback."""

import pickle
from pathlib import Path

import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from fleet_engine.training.gradient.pipeline_module import PipelineModule
from fleet_engine.training.training_event import BestCheckpoint


def restore_best(module: PipelineModule, callback: ModelCheckpoint | None) -> BestCheckpoint:
    """Load the best weights into the pipeline, or return why the final ones are kept.

    Args:
        module: the trained module.
        callback: the checkpoint callback of the training, if any.
    """
    if callback is None:
        return BestCheckpoint(
            False, reason="Using the final epoch's weights (no checkpoint callback)"
        )
    path = callback.best_model_path
    if not path or callback.monitor is None:
        return BestCheckpoint(
            False,
            monitor=callback.monitor or "",
            reason="Using the final epoch's weights (the checkpoint callback kept none)",
        )
    score = callback.best_model_score
    try:
        content = torch.load(Path(path), map_location="cpu", weights_only=True)
        prefix = "nodes."
        given = {
            key.removeprefix(prefix): value
            for key, value in content["state_dict"].items()
            if key.startswith(prefix)
        }
        with torch.no_grad():
            for key, value in module.nodes.state_dict().items():
                value.copy_(given[key])
    except (OSError, pickle.UnpicklingError, KeyError, RuntimeError):
        return BestCheckpoint(
            False,
            monitor=callback.monitor,
            reason="Using the final epoch's weights (the best checkpoint is no longer readable)",
        )
    return BestCheckpoint(
        True,
        epoch=int(content.get("epoch", 0)),
        monitor=callback.monitor,
        score=None if score is None else float(score),
    )
