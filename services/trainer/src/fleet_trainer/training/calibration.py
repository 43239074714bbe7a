"""Calibration: chooses the thresholds of deciders on the validation split."""

from fleet_engine import Pipeline
from fleet_engine.training import calibrate_and_evaluate
from fleet_trainer.runs import messages
from fleet_trainer.training.context import RunContext, RunOwner, Trained
from fleet_trainer.training.events import EventMessages, EventSender
from fleet_trainer.training.job import event_files, of_known_nodes, training_job


def calibrate_thresholds(context: RunContext, pipeline: Pipeline, owner: RunOwner) -> Trained:
    """Calibrate the deciders and evaluate the splits.

    Raises:
        AppError: the data are missing or do not fit the pipeline, or it is not fitted.
        Cancelled: the owner asked to stop.
    """
    job = of_known_nodes(training_job(context), pipeline)
    events = EventMessages(pipeline, calibration_pending=True)
    job.measurements.check_ids(job.data.val_ids)
    with event_files(pipeline, context.paths):
        config = calibrate_and_evaluate(
            pipeline,
            job,
            with_calibration=True,
            on_event=EventSender(events, owner),
            should_stop=owner.should_stop,
        )
    return Trained(config, messages.complete_calibration(events.summary or events.hindrance))
