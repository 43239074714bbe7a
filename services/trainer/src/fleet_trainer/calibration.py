"""Calibration: the deciders' thresholds from the validation split, nothing else."""

import dataclasses

from fleet_engine.training import TrainingEvent, calibrate_and_evaluate
from fleet_trainer import train_messages
from fleet_trainer.event_messages import EventMessages, is_boundary
from fleet_trainer.gradient import job_of
from fleet_trainer.training_work import Trained, TrainingWork


def calibrate_thresholds(work: TrainingWork) -> Trained:
    """Calibrate the deciders and evaluate the splits.

    Raises:
        AppError: the data are not there or do not fit the pipeline, or it is not fitted.
        Cancelled: it was to stop.
    """
    job = job_of(work)
    # Loss and metric nodes may be those of another pipeline: a calibration needs none of them.
    known = work.pipeline.nodes
    job = dataclasses.replace(
        job,
        loss_nodes=tuple(name for name in job.loss_nodes if name in known),
        metric_nodes=tuple(name for name in job.metric_nodes if name in known),
    )
    messages = EventMessages(work.pipeline, calibration_pending=True)

    def on_event(event: TrainingEvent) -> None:
        send = work.progress.send if is_boundary(event.hook) else work.progress.send_if_due
        send(messages.of(event))

    job.measurements.check_ids(job.data.val_ids)
    config = calibrate_and_evaluate(
        work.pipeline, job, with_calibration=True, on_event=on_event, should_stop=work.should_stop
    )
    outcome = messages.summary or messages.hindrance
    return Trained(config, train_messages.complete_calibration(outcome))
