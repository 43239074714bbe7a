"""Saves the state of a training after each epoch, and restores it."""

from collections.abc import Callable

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from fleet_engine.training.gradient.epoch_checkpoint import EpochCheckpoint
from fleet_engine.training.gradient.pipeline_module import PipelineModule
from fleet_platform.errors import InvalidInput


class CheckpointCallback(Callback):
    """Saves the state after each epoch; must be the first of all callbacks.

    An epoch is complete only when the next one begins.

    Attributes:
        last: the latest state; None during the first epoch.
    """

    def __init__(
        self,
        module: PipelineModule,
        resumed: EpochCheckpoint | None,
        on_checkpoint: Callable[[bytes], None],
    ) -> None:
        """Create the callback.

        Args:
            module: the module to train.
            resumed: the state to resume from; None: start from the beginning.
            on_checkpoint: receives the state after each epoch as bytes.
        """
        self.last = resumed
        self._module = module
        self._resumed = resumed
        self._on_checkpoint = on_checkpoint

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restore the state of the loop."""
        if self._resumed is not None:
            self._resumed.restore_loop(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the state after the previous epoch.

        Raises:
            InvalidInput: its weights became NaN or infinite; `last` is the state before it.
        """
        if self._resumed is not None:
            self._resumed.restore_random()
            self._resumed = None
        elif trainer.current_epoch > 0:
            self._keep(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the state after the last epoch; raises likewise."""
        self._keep(trainer)

    def _keep(self, trainer: Trainer) -> None:
        self._refuse_not_finite(trainer.current_epoch - 1)
        self.last = EpochCheckpoint.capture(trainer, self._module)
        if trainer.is_global_zero:
            self._on_checkpoint(self.last.to_bytes())

    def _refuse_not_finite(self, epoch: int) -> None:
        broken = [
            name.removeprefix("nodes.")
            for name, parameter in self._module.named_parameters()
            if parameter.requires_grad and not bool(torch.isfinite(parameter).all())
        ]
        if broken:
            raise InvalidInput(
                f"Weights became NaN or infinite in epoch {epoch}: {', '.join(broken)}. Use a "
                "smaller training.optimizer.lr or set training.gradient_clip_val."
            )
