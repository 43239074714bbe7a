"""The state of a training after an epoch, from which another process can resume.

Lightning's own checkpoints resume at the end of an epoch only if no schedule monitors a value,
and they lack random states and logged values.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from fleet_engine.training.gradient.pipeline_module import PipelineModule
from fleet_engine.training.gradient.random_state import capture_generators, restore_generators
from fleet_platform.errors import InvalidInput

_FORMAT = 1
_KEYS = frozenset({"format", "epoch", "global_step", "stopped", "nodes", "optimizers"})


class EpochCheckpoint:
    """The state of a training between two epochs.

    Attributes:
        epoch: number of complete epochs.
        stopped: the training is over: the last epoch was reached, or a callback stopped it.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self.epoch = int(content["epoch"])
        self.stopped = bool(content["stopped"])

    @classmethod
    def capture(cls, trainer: Trainer, module: PipelineModule) -> "EpochCheckpoint":
        """Capture the current state; to be called when an epoch is complete."""
        epoch = trainer.current_epoch
        return cls(
            {
                "format": _FORMAT,
                "epoch": epoch,
                "global_step": trainer.global_step,
                "stopped": trainer.should_stop or epoch >= (trainer.max_epochs or 0),
                # Copied even on the CPU: training changes the originals and may restore the copies.
                "nodes": {
                    key: value.to("cpu", copy=True)
                    for key, value in module.nodes.state_dict().items()
                },
                "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
                "schedulers": [
                    config.scheduler.state_dict() for config in trainer.lr_scheduler_configs
                ],
                "callbacks": {
                    callback.state_key: state
                    for callback in _callbacks(trainer)
                    if (state := callback.state_dict())
                },
                "precision": trainer.precision_plugin.state_dict(),
                "logged": {
                    name: value.detach().cpu() for name, value in trainer.callback_metrics.items()
                },
                "random": capture_generators(),
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "EpochCheckpoint":
        """Deserialise the result of `to_bytes` without executing anything in it.

        Raises:
            InvalidInput: it is not a valid checkpoint.
        """
        try:
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # damaged bytes may raise anything in the reader
            raise InvalidInput("The checkpoint is damaged.") from error
        if (
            not isinstance(loaded, dict)
            or not loaded.keys() >= _KEYS
            or loaded["format"] != _FORMAT
        ):
            raise InvalidInput("The checkpoint was not written by this release.")
        return cls(loaded)

    def to_bytes(self) -> bytes:
        """Serialise the checkpoint."""
        buffer = io.BytesIO()
        torch.save(self._content, buffer)
        return buffer.getvalue()

    def restore_nodes(self, module: PipelineModule) -> None:
        """Restore the weights.

        Raises:
            InvalidInput: the checkpoint belongs to another pipeline; the text names the
                differences.
        """
        own, given = module.nodes.state_dict(), self._content["nodes"]
        _refuse_mismatch(own, given)
        with torch.no_grad():
            for key, value in own.items():
                value.copy_(given[key])

    def restore_loop(self, trainer: Trainer) -> None:
        """Restore everything except the weights; to be called when the training starts."""
        for optimizer, state in zip(trainer.optimizers, self._content["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        for config, state in zip(
            trainer.lr_scheduler_configs, self._content["schedulers"], strict=True
        ):
            config.scheduler.load_state_dict(state)
        self.restore_callbacks(_callbacks(trainer))
        trainer.precision_plugin.load_state_dict(self._content["precision"])
        trainer.callback_metrics.update(
            {
                name: value.to(trainer.strategy.root_device)
                for name, value in self._content["logged"].items()
            }
        )
        self._restore_counters(trainer)

    def restore_callbacks(self, callbacks: Iterable[Callback]) -> None:
        """Restore the state of callbacks, such as the best value so far."""
        for callback in callbacks:
            state = self._content["callbacks"].get(callback.state_key)
            if state:
                callback.load_state_dict(state)

    def restore_random(self) -> None:
        """Restore the random number generators; to be called right before an epoch begins."""
        restore_generators(self._content["random"])

    def _restore_counters(self, trainer: Trainer) -> None:
        epochs = trainer.fit_loop.epoch_progress
        for counts in (epochs.total, epochs.current):
            vars(counts).update(dict.fromkeys(vars(counts), self.epoch))
        loop = trainer.fit_loop.epoch_loop
        steps = loop.automatic_optimization.optim_progress.optimizer.step.total
        steps.ready = steps.completed = self._content["global_step"]
        loop._batches_that_stepped = self._content["global_step"]


def _callbacks(trainer: Trainer) -> Sequence[Callback]:
    callbacks: Sequence[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks


def _refuse_mismatch(own: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    faults = [f"{key} is missing" for key in own if key not in given]
    faults += [f"{key} is unknown" for key in given if key not in own]
    faults += [
        f"{key} has shape {list(given[key].shape)}, the pipeline's has {list(value.shape)}"
        for key, value in own.items()
        if key in given and given[key].shape != value.shape
    ]
    if faults:
        raise InvalidInput(f"The checkpoint belongs to another pipeline: {'; '.join(faults[:10])}.")
