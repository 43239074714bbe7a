"""Gradient training: fits missing statistics, trains epoch by epoch, then calibrates and tests."""

import dataclasses

from fleet_engine import Pipeline
from fleet_engine.training import (
    Hook,
    TrainingEvent,
    calibrate_and_evaluate,
    check_job,
    unfitted_nodes,
)
from fleet_engine.training.gradient import train_gradient
from fleet_trainer.runs import messages
from fleet_trainer.runs.configs import has_newest_form
from fleet_trainer.training.context import RunContext, RunOwner, Trained
from fleet_trainer.training.events import EventMessages, EventSender
from fleet_trainer.training.job import event_files, training_job
from fleet_trainer.training.statistical import fit_nodes


def train_by_gradient(context: RunContext, pipeline: Pipeline, owner: RunOwner) -> Trained:
    """Train the pipeline in place; nodes that need statistics and have none are fitted first.

    Raises:
        AppError: settings or data do not fit the pipeline, or the loss became NaN or infinite; the
            pipeline has the weights of the last complete epoch.
        Cancelled: the owner asked to stop; the pipeline has the weights of the last step.
    """
    resumed, job = owner.resumed, training_job(context)
    # Wrong settings must fail before the statistics are fitted, which may take a long time.
    check_job(job)
    if resumed is None and not all(node.ready for node in pipeline.nodes.values()):
        fit_nodes(pipeline, job, owner, only=unfitted_nodes(pipeline))
        owner.save_fitted()
    calibrates = has_newest_form(context.run) and bool(job.data.val_ids)
    events = EventMessages(pipeline, calibration_pending=calibrates)
    send = EventSender(events, owner)
    reached = _Reached(0 if resumed is None else resumed.epoch)

    def on_event(event: TrainingEvent) -> None:
        reached.update(event)
        send(event)

    with event_files(pipeline, context.paths):
        with owner.group(job.training) as group:
            train_gradient(
                pipeline,
                dataclasses.replace(job, group=group),
                on_event=on_event,
                should_stop=owner.should_stop,
                on_checkpoint=lambda state: owner.save_epoch(reached.epoch, state),
                folder=context.paths.writable_folder,
                resume=(resumed.state or None) if resumed is not None else None,
            )
        config = calibrate_and_evaluate(
            pipeline,
            job,
            with_calibration=calibrates,
            on_event=on_event,
            should_stop=owner.should_stop,
        )
    last = messages.complete_gradient(job.training.max_epochs, reached.global_step, events.summary)
    return Trained(config, last)


class _Reached:
    """The epoch and step that a training has reached; not every event contains them."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.global_step = 0

    def update(self, event: TrainingEvent) -> None:
        self.global_step = max(self.global_step, event.global_step)
        if event.hook is Hook.EPOCH_END:
            self.epoch = event.epoch + 1
