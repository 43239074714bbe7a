"""Gradient training: fits what has no statistics, trains by epochs, then calibrates and tests."""

import dataclasses

from fleet_engine.training import (
    Hook,
    TrainingEvent,
    calibrate_and_evaluate,
    check_job,
    unfitted_nodes,
)
from fleet_engine.training.gradient import train_gradient
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs.config_form import has_newest_form
from fleet_trainer.training.context import Trained, TrainingWork
from fleet_trainer.training.events import EventMessages, is_boundary
from fleet_trainer.training.job import training_job
from fleet_trainer.training.monitors import event_files
from fleet_trainer.training.statistical import fit_nodes


def train_by_gradient(work: TrainingWork) -> Trained:
    """Train the pipeline in place; nodes that need statistics and have none are fitted first.

    Raises:
        AppError: settings or data do not fit the pipeline, or the loss became NaN or infinite; the
            pipeline has the weights of the last whole epoch.
        Cancelled: it was to stop; the pipeline has the weights of the last step.
    """
    job = training_job(work.run, work.policy, work.read_ahead)
    check_job(job)
    if work.resumed is None and not all(node.ready for node in work.pipeline.nodes.values()):
        fit_nodes(work, job, only=unfitted_nodes(work.pipeline))
        work.keep_fitted()
    calibrates = has_newest_form(work.run) and bool(job.data.val_ids)
    messages = EventMessages(work.pipeline, calibration_pending=calibrates)
    reached = _Reached(0 if work.resumed is None else work.resumed.epoch)

    def on_event(event: TrainingEvent) -> None:
        reached.see(event)
        send = work.progress.send if is_boundary(event.hook) else work.progress.send_if_due
        send(messages.of(event))

    with event_files(work.pipeline, work.policy):
        with work.ranks.joined(job.training, work.pipeline.device) as group:
            train_gradient(
                work.pipeline,
                dataclasses.replace(job, group=group),
                on_event=on_event,
                should_stop=work.should_stop,
                on_checkpoint=lambda state: work.keep_epoch(reached.epoch, state),
                folder=work.policy.writable_folder,
                resume=(work.resumed.state or None) if work.resumed is not None else None,
            )
        config = calibrate_and_evaluate(
            work.pipeline,
            job,
            with_calibration=calibrates,
            on_event=on_event,
            should_stop=work.should_stop,
        )
    done = train_messages.complete_gradient(
        job.training.max_epochs, reached.global_step, messages.summary
    )
    return Trained(config, done)


class _Reached:
    """How far the epochs have come, for what the events of the engine leave open."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.global_step = 0

    def see(self, event: TrainingEvent) -> None:
        self.global_step = max(self.global_step, event.global_step)
        if event.hook is Hook.EPOCH_END:
            self.epoch = event.epoch + 1
