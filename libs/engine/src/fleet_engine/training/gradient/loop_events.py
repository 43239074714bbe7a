"""Tells what Lightning's loop does as events of this engine, and stops it when asked."""

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
    """Event by event as semantics of the newest release; keys of values as in the older ones."""

    def __init__(
        self,
        on_event: Callable[[TrainingEvent], None],
        should_stop: Callable[[], bool],
        *,
        train: EpochBatches,
        val: EpochBatches,
    ) -> None:
        """Take the parts.

        Args:
            on_event: hears of each event.
            should_stop: asked after each batch.
            train: what an epoch reads, where the settings do not limit it.
            val: what a validation reads, likewise.
        """
        self._on_event = on_event
        self._should_stop = should_stop
        self._train = train
        self._val = val
        self._train_done = 0
        self._val_done = 0
        self._train_batch = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The training begins."""
        self._tell(trainer, Hook.FIT_START, Stage.TRAIN)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """An epoch begins."""
        self._train_done = self._train_batch = 0
        self._tell(trainer, Hook.EPOCH_START, Stage.TRAIN)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Mapping[str, Any],
        batch_idx: int,
    ) -> None:
        """A training batch is done.

        Raises:
            Cancelled: the training is to stop; this batch's step, if it had one, is complete.
        """
        self._train_done += int(batch["cube"].shape[0])
        self._train_batch = batch_idx
        self._tell(trainer, Hook.TRAIN_PROGRESS, Stage.TRAIN, loss=outputs["loss"])
        self._stop_if_asked(trainer)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A validation begins."""
        self._val_done = 0
        if not trainer.sanity_checking:
            self._tell(trainer, Hook.VALIDATION_START, Stage.VAL)

    def on_validation_batch_end(  # noqa: PLR0917  (Lightning's signature)
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Mapping[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """A validation batch is done; raises as `on_train_batch_end`."""
        self._val_done += int(batch["cube"].shape[0])
        if not trainer.sanity_checking:
            self._tell(trainer, Hook.VALIDATION_PROGRESS, Stage.VAL, loss=outputs)
        self._stop_if_asked(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A validation is over, its values are known."""
        if not trainer.sanity_checking:
            self._tell(trainer, Hook.VALIDATION_END, Stage.VAL)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """An epoch is over, its values are known."""
        self._tell(trainer, Hook.EPOCH_END, Stage.TRAIN)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The training is over."""
        self._tell(trainer, Hook.FIT_END, Stage.TRAIN)

    def _tell(self, trainer: Trainer, hook: Hook, stage: Stage, loss: Tensor | None = None) -> None:
        # Asked for in every process: values may have to be gathered first.
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
            # Batches may be left out of a stream; readers of `total` find it here at the latest.
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
