"""Gradient training: fits what has no statistics, trains by epochs, then calibrates and tests."""

from pathlib import Path

from fleet_engine.data import open_measurements
from fleet_engine.training import (
    GradientJob,
    Hook,
    TrainingEvent,
    calibrate_and_evaluate,
    check_job,
    train_gradient,
)
from fleet_platform.files import PathPolicy
from fleet_schemas import TrainingConfig, parse_config
from fleet_trainer import train_messages
from fleet_trainer.event_messages import EventMessages, is_boundary
from fleet_trainer.node_lists import NodeLists
from fleet_trainer.statistical import fit_nodes
from fleet_trainer.training_work import Trained, TrainingWork


def train_by_gradient(work: TrainingWork) -> Trained:
    """Train the pipeline in place; nodes that need statistics and have none are fitted first.

    Raises:
        AppError: settings or data do not fit the pipeline, or the loss became NaN or infinite; the
            pipeline has the weights of the last whole epoch.
        Cancelled: it was to stop; the pipeline has the weights of the last step.
    """
    job = job_of(work)
    check_job(job)
    if work.resumed is None and not all(node.ready for node in work.pipeline.nodes.values()):
        fit_nodes(work)
        work.keep_fitted()
    messages = EventMessages(work.pipeline, calibration_pending=bool(job.data.val_ids))
    reached = _Reached(0 if work.resumed is None else work.resumed.epoch)

    def on_event(event: TrainingEvent) -> None:
        reached.see(event)
        send = work.progress.send if is_boundary(event.hook) else work.progress.send_if_due
        send(messages.of(event))

    train_gradient(
        work.pipeline,
        job,
        on_event=on_event,
        should_stop=work.should_stop,
        on_checkpoint=lambda state: work.keep_epoch(reached.epoch, state),
        folder=lambda text: _folder(text, work.policy),
        resume=(work.resumed.state or None) if work.resumed is not None else None,
    )
    config = calibrate_and_evaluate(
        work.pipeline,
        job,
        with_calibration=bool(job.data.val_ids),
        on_event=on_event,
        should_stop=work.should_stop,
    )
    done = train_messages.complete_gradient(
        job.training.max_epochs, reached.global_step, messages.summary
    )
    return Trained(config, done)


def job_of(work: TrainingWork) -> GradientJob:
    """What the engine is to train.

    Raises:
        AppError: the data are not there, or cannot be read.
    """
    run = work.run
    lists = NodeLists.of(run.trainrun_config_json)
    settings = run.training_config_json or b"{}"
    return GradientJob(
        training=parse_config(TrainingConfig, settings, "training"),
        data=work.data,
        measurements=open_measurements(work.data, work.policy, read_ahead=work.read_ahead),
        loss_nodes=lists.loss_nodes,
        metric_nodes=lists.metric_nodes,
        freeze_nodes=lists.freeze_nodes,
        unfreeze_nodes=lists.unfreeze_nodes,
    )


class _Reached:
    """How far the epochs have come, for what the events of the engine leave open."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.global_step = 0

    def see(self, event: TrainingEvent) -> None:
        self.global_step = max(self.global_step, event.global_step)
        if event.hook is Hook.EPOCH_END:
            self.epoch = event.epoch + 1


def _folder(text: str, policy: PathPolicy) -> Path:
    """The folder below the output folder that the settings name."""
    return policy.writable(f"{text}/checkpoint").parent
