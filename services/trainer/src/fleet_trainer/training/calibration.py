"""Calibration: the deciders' thresholds from the validation split, nothing else."""

from fleet_engine.training import TrainingEvent, calibrate_and_evaluate
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.training.context import Trained, TrainingWork
from fleet_trainer.training.events import EventMessages, is_boundary
from fleet_trainer.training.job import of_known_nodes, training_job
from fleet_trainer.training.monitors import event_files


def calibrate_thresholds(work: TrainingWork) -> Trained:
    """Calibrate the deciders and evaluate the splits.

    Raises:
        AppError: the data are not there or do not fit the pipeline, or it is not fitted.
        Cancelled: it was to stop.
    """
    job = of_known_nodes(training_job(work.run, work.policy, work.read_ahead), work.pipeline)
    messages = EventMessages(work.pipeline, calibration_pending=True)

    def on_event(event: TrainingEvent) -> None:
        send = work.progress.send if is_boundary(event.hook) else work.progress.send_if_due
        send(messages.of(event))

    job.measurements.check_ids(job.data.val_ids)
    with event_files(work.pipeline, work.policy):
        config = calibrate_and_evaluate(
            work.pipeline,
            job,
            with_calibration=True,
            on_event=on_event,
            should_stop=work.should_stop,
        )
    outcome = messages.summary or messages.hindrance
    return Trained(config, train_messages.complete_calibration(outcome))
