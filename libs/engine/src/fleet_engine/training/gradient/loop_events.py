"""Converts Lightning's callbacks to training events, and stops the loop on request."""

from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from fleet_engine.graph.stage import Stage
from fleet_engine.training.gradient.epoch_batches import EpochBatches
from fleet_engine.training.training_event import Hook, TrainingEvent
from fleet_platform.errors import Cancelled

_PREFIXES = {Stage.TRAIN: ("train/", "train_"), Stage.VAL: ("val/", "val_")}


class LoopEvents(Callback):
    """Event semantics follow the newest release; value keys follow the older ones."""

    def __init__(
        self,
        on_event: Callable[[TrainingEvent], None],
        should_stop: Callable[[], bool],
        *,
        train: EpochBatches,
        val: EpochBatches,
    ) -> None:
        """Create the callback.

        Args:
            on_event: receives each event.
            should_stop: called after each batch; True cancels.
            train: the batches of an epoch, if not limited by the settings.
            val: the batches of a validation, likewise.
        """
        self._on_event = on_event
        self._should_stop = should_stop
        self._train = train
        self._val = val
        self._train_done = 0
        self._val_done = 0
        self._train_batch = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the start of the training."""
        self._send(trainer, Hook.FIT_START, Stage.TRAIN)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the start of an epoch."""
        self._train_done = self._train_batch = 0
        self._send(trainer, Hook.EPOCH_START, Stage.TRAIN)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Mapping[str, Any],
        batch_idx: int,
    ) -> None:
        """Send the end of a training batch.

        Raises:
            Cancelled: the training must stop; the optimizer step of this batch is complete.
        """
        self._train_done += int(batch["cube"].shape[0])
        self._train_batch = batch_idx
        self._send(trainer, Hook.TRAIN_PROGRESS, Stage.TRAIN, loss=outputs["loss"])
        self._stop_if_asked(trainer)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the start of a validation."""
        self._val_done = 0
        if not trainer.sanity_checking:
            self._send(trainer, Hook.VALIDATION_START, Stage.VAL)

    def on_validation_batch_end(  # noqa: PLR0917  (Lightning's signature)
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Mapping[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Send the end of a validation batch; raises like `on_train_batch_end`."""
        self._val_done += int(batch["cube"].shape[0])
        if not trainer.sanity_checking:
            self._send(trainer, Hook.VALIDATION_PROGRESS, Stage.VAL, loss=outputs)
        self._stop_if_asked(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the end of a validation with its values."""
        if not trainer.sanity_checking:
            self._send(trainer, Hook.VALIDATION_END, Stage.VAL)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the end of an epoch with its values."""
        self._send(trainer, Hook.EPOCH_END, Stage.TRAIN)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Send the end of the training."""
        self._send(trainer, Hook.FIT_END, Stage.TRAIN)

    def _send(self, trainer: Trainer, hook: Hook, stage: Stage, loss: Tensor | None = None) -> None:
        # Read in every process, since values may have to be gathered first.
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not trainer.is_global_zero:
            return
        metrics = {
            _stripped(name, stage): value for name, value in logged.items() if "loss" not in name
        }
        if loss is not None:
            losses = {"total": float(loss)}
        elif hook in {Hook.VALIDATION_END, Hook.EPOCH_END}:
            losses = {key: logged[key] for key in ("train_loss", "val_loss") if key in logged}
            # Streams may skip batches; this event always has the correct `total`.
            own = "train_loss" if stage is Stage.TRAIN else "val_loss"
            losses |= {"total": logged[own]} if own in logged else {}
        else:
            losses, metrics = {}, {}
        in_training = stage is Stage.TRAIN
        done = self._train_done if in_training else self._val_done
        total = self._train_total(trainer) if in_training else self._val_total(trainer)
        self._on_event(
            TrainingEvent(
                hook,
                stage,
                epoch=trainer.current_epoch,
                batch_idx=self._train_batch,
                global_step=trainer.global_step,
                done=done * trainer.world_size,
                total=total * trainer.world_size,
                epochs=trainer.max_epochs or 0,
                losses=losses,
                metrics=metrics,
            )
        )

    def _train_total(self, trainer: Trainer) -> int:
        return self._train.measurements_in(int(trainer.num_training_batches))

    def _val_total(self, trainer: Trainer) -> int:
        return self._val.measurements_in(int(sum(trainer.num_val_batches)))

    def _stop_if_asked(self, trainer: Trainer) -> None:
        stop = trainer.is_global_zero and self._should_stop()
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        if stop:
            raise Cancelled("Training was stopped.")


def _stripped(name: str, stage: Stage) -> str:
    for prefix in _PREFIXES[stage]:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
