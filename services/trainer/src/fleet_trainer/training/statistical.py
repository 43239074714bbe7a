"""Statistical training: each node that needs statistics reads the training measurements."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence

from torch import Tensor

from fleet_engine import Pipeline
from fleet_engine.data import batches
from fleet_engine.training import (
    DataShard,
    FitEvent,
    GradientJob,
    TrainingEvent,
    calibrate_and_evaluate,
    fit_statistics,
)
from fleet_schemas import TrainingConfig
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs.config_form import has_newest_form
from fleet_trainer.training.context import Trained, TrainingWork
from fleet_trainer.training.events import EventMessages, is_boundary
from fleet_trainer.training.job import of_known_nodes, training_job
from fleet_trainer.training.monitors import event_files
from fleet_trainer.worker.progress import Progress


def train_statistically(work: TrainingWork) -> Trained:
    """Fit the pipeline in place to the training split, in the order of its ids.

    Where no gradient training is to follow, since there are no settings for one, and the data have
    the newest form, the deciders are calibrated and the splits evaluated.

    Raises:
        AppError: the file or the ids are not there, or do not fit the pipeline.
        Cancelled: it was to stop; the nodes whose fit had ended keep their new statistics.
    """
    job = training_job(work.run, work.policy, work.read_ahead)
    fit_nodes(work, job)
    if work.run.training_config_json or not has_newest_form(work.run):
        return Trained(work.pipeline.config, train_messages.complete_statistical())
    messages = EventMessages(work.pipeline, calibration_pending=bool(job.data.val_ids))

    def on_event(event: TrainingEvent) -> None:
        send = work.progress.send if is_boundary(event.hook) else work.progress.send_if_due
        send(messages.of(event))

    with event_files(work.pipeline, work.policy):
        config = calibrate_and_evaluate(
            work.pipeline,
            of_known_nodes(job, work.pipeline),
            with_calibration=bool(job.data.val_ids),
            on_event=on_event,
            should_stop=work.should_stop,
        )
    return Trained(config, train_messages.complete_statistical(messages.summary))


def fit_nodes(work: TrainingWork, job: GradientJob, only: Collection[str] | None = None) -> None:
    """Fit nodes, telling of each.

    Args:
        work: the run.
        job: names the data, and how many processes share it.
        only: names of the nodes, which this process then fits alone; None: all that need a fit.

    Raises:
        AppError, Cancelled: as `train_statistically`.
    """
    job.measurements.check_ids(job.data.train_ids)
    together = TrainingConfig() if only is not None else job.training
    with work.ranks.joined(together, work.pipeline.device) as group:
        fit(
            work.pipeline,
            dataclasses.replace(job, group=group),
            on_event=lambda event: _tell(work.progress, event),
            should_stop=work.should_stop,
            only=only,
        )


def fit(
    pipeline: Pipeline,
    job: GradientJob,
    *,
    on_event: Callable[[FitEvent], None],
    should_stop: Callable[[], bool],
    only: Collection[str] | None = None,
) -> None:
    """Fit nodes as one process of the job's group; raises as `train_statistically`."""
    ids = job.data.train_ids

    def read(chosen: Sequence[int]) -> Iterator[dict[str, Tensor]]:
        return batches(job.measurements, chosen, job.data.batch_size)

    fit_statistics(
        pipeline,
        lambda: read(ids),
        on_event=on_event,
        should_stop=should_stop,
        total=len(ids),
        only=only,
        shard=None if job.group is None else DataShard.of(job.group, ids, read),
    )


def _tell(progress: Progress, event: FitEvent) -> None:
    match event.kind:
        case "start":
            progress.send(train_messages.node_started(event.node, event.total))
        case "progress":
            progress.send_if_due(
                train_messages.node_progressed(event.node, event.done, event.total)
            )
        case "end":
            progress.send(train_messages.node_ended(event.node, event.done, event.total))
