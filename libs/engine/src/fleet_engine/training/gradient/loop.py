"""Gradient training of a pipeline by Lightning."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers.logger import DummyLogger

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.scratch_folder import scratch_folder
from fleet_engine.training.gradient.best_weights import restore_best
from fleet_engine.training.gradient.callbacks import make_callbacks, watched_values
from fleet_engine.training.gradient.checkpoint_callback import CheckpointCallback
from fleet_engine.training.gradient.epoch_batches import EpochBatches
from fleet_engine.training.gradient.epoch_checkpoint import EpochCheckpoint
from fleet_engine.training.gradient.epoch_spans import EpochSpans
from fleet_engine.training.gradient.loop_events import LoopEvents
from fleet_engine.training.gradient.output_volume import OutputVolume
from fleet_engine.training.gradient.pipeline_module import PipelineModule
from fleet_engine.training.gradient.placement import Placement, placement
from fleet_engine.training.gradient.random_state import seed_generators
from fleet_engine.training.gradient.watched_values import WatchedValues
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.job.optimizers import watched_value
from fleet_engine.training.job.trained_nodes import prepare_nodes
from fleet_engine.training.training_event import BestCheckpoint, Hook, TrainingEvent
from fleet_platform.errors import Cancelled, InvalidInput
from fleet_schemas import TrainingConfig


def train_gradient(
    pipeline: Pipeline,
    job: GradientJob,
    *,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
    on_checkpoint: Callable[[bytes], None],
    folder: Callable[[str], Path],
    resume: bytes | None = None,
) -> None:
    """Train in place; nodes that need a fit must be fitted.

    The same job results in bit-identical weights on the same device, even if it was interrupted
    after an epoch and resumed elsewhere. At the end the best weights are restored if the job has a
    checkpoint callback. If a training fails, the weights of the last complete epoch are kept.

    Args:
        pipeline: the pipeline, on the device of the training; it remains there.
        job: the settings, which `check_job` has accepted.
        on_event: receives the progress of the training.
        should_stop: called after each batch; True cancels.
        on_checkpoint: receives the state after each epoch; passed as `resume`, it continues there.
        folder: returns the path of a folder that the settings name, or refuses it.
        resume: a state from an earlier call with the same job.

    Raises:
        InvalidInput: settings, data or state do not match the pipeline, or the loss became NaN or
            infinite.
        Cancelled: `should_stop` returned True; the pipeline has the weights of the last step.
        Exhausted: the volume was full when a checkpoint was written.
    """
    seed_generators(job.training.seed)
    prepare_nodes(pipeline, job)
    device = pipeline.device
    module = PipelineModule(pipeline, job)
    resumed = None if resume is None else EpochCheckpoint.from_bytes(resume)
    if resumed is not None:
        resumed.restore_nodes(module)
    callbacks = make_callbacks(job.training.callbacks, folder)
    checkpoint = CheckpointCallback(module, resumed, on_checkpoint)
    try:
        if resumed is not None and resumed.stopped:
            resumed.restore_callbacks(callbacks)
        else:
            with _quiet():
                _fit(
                    module,
                    device,
                    job,
                    [checkpoint, *callbacks],
                    on_event=on_event,
                    should_stop=should_stop,
                )
    except MisconfigurationException as error:
        raise InvalidInput(f"training: {error}") from error
    except Cancelled:
        raise
    except Exception:
        if checkpoint.last is not None:
            checkpoint.last.restore_nodes(module)
        raise
    finally:
        # Lightning leaves the nodes on the CPU and in training mode.
        pipeline.to(device)
        module.eval()
    on_event(_restored(restore_best(module, _checkpoint_of(callbacks)), job))


def _fit(
    module: PipelineModule,
    device: torch.device,
    job: GradientJob,
    callbacks: list[Callback],
    *,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> None:
    training = job.training
    train = EpochBatches(
        job.measurements,
        job.data.train_ids,
        job.data.batch_size,
        shuffle_seed=training.seed,
        epoch=lambda: trainer.current_epoch,
        rank=job.rank,
        world_size=job.world_size,
    )
    val = EpochBatches(
        job.measurements,
        job.data.val_ids,
        job.data.batch_size,
        rank=job.rank,
        world_size=job.world_size,
    )
    events = LoopEvents(on_event, should_stop, train=train, val=val)
    checkpoint, *others = callbacks
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch:
        trainer = _trainer(
            job,
            placement(training, device, job.group),
            [checkpoint, WatchedValues(_watched(training)), events, EpochSpans(), *others],
            scratch,
        )
        module.train()
        trainer.fit(module, train, val if job.data.val_ids else None)


def _trainer(
    job: GradientJob, where: Placement, callbacks: list[Callback], scratch: str
) -> Trainer:
    training = job.training
    try:
        return Trainer(
            **where._replace(plugins=[*where.plugins, OutputVolume()])._asdict(),
            max_epochs=training.max_epochs,
            precision=training.precision,  # type: ignore[arg-type]  # Lightning refuses others
            accumulate_grad_batches=training.accumulate_grad_batches,
            gradient_clip_val=training.gradient_clip_val,
            log_every_n_steps=training.log_every_n_steps,
            val_check_interval=training.val_check_interval,
            check_val_every_n_epoch=training.check_val_every_n_epoch,
            limit_train_batches=training.limit_train_batches,
            limit_val_batches=training.limit_val_batches,
            num_sanity_val_steps=training.num_sanity_val_steps,
            deterministic=training.deterministic,
            benchmark=training.benchmark,
            callbacks=callbacks,
            # Clients receive values by events, and monitor nodes of the pipeline write files; the
            # learning rate monitor requires a logger anyway.
            logger=DummyLogger(),
            enable_checkpointing=_checkpoint_of(callbacks) is not None,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=scratch,
            use_distributed_sampler=False,
        )
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"training: {error}") from error


def _watched(training: TrainingConfig) -> dict[str, str]:
    """Return the names of all values that the training monitors, each with its setting."""
    watched = watched_values(training.callbacks)
    followed = watched_value(training.scheduler)
    return watched if followed is None else watched | {followed: "training.scheduler.monitor"}


def _checkpoint_of(callbacks: Sequence[Callback]) -> ModelCheckpoint | None:
    return next((each for each in callbacks if isinstance(each, ModelCheckpoint)), None)


def _restored(best: BestCheckpoint, job: GradientJob) -> TrainingEvent:
    epochs = job.training.max_epochs
    return TrainingEvent(Hook.CHECKPOINT_RESTORED, epoch=epochs, epochs=epochs, checkpoint=best)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Lightning's messages for interactive users."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        log.setLevel(level)
