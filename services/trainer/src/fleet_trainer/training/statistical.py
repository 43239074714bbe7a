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
    calibrate_and_evaluate,
    fit_statistics,
)
from fleet_schemas import TrainingConfig
from fleet_trainer.runs import messages
from fleet_trainer.runs.configs import has_newest_form
from fleet_trainer.training.context import RunContext, RunOwner, Trained
from fleet_trainer.training.events import EventMessages, EventSender
from fleet_trainer.training.job import event_files, of_known_nodes, training_job


def train_statistically(context: RunContext, pipeline: Pipeline, owner: RunOwner) -> Trained:
    """Fit the pipeline in place to the training split, in the order of its ids.

    If there are no settings for a gradient training that could follow, and the data have the newest
    form, the deciders are then calibrated and the splits evaluated.

    Raises:
        AppError: the file or the ids do not exist, or do not fit the pipeline.
        Cancelled: the owner asked to stop; nodes whose fit had ended keep their new statistics.
    """
    run, job = context.run, training_job(context)
    fit_nodes(pipeline, job, owner)
    if run.training_config_json or not has_newest_form(run):
        return Trained(pipeline.config, messages.complete_statistical())
    events = EventMessages(pipeline, calibration_pending=bool(job.data.val_ids))
    with event_files(pipeline, context.paths):
        config = calibrate_and_evaluate(
            pipeline,
            of_known_nodes(job, pipeline),
            with_calibration=bool(job.data.val_ids),
            on_event=EventSender(events, owner),
            should_stop=owner.should_stop,
        )
    return Trained(config, messages.complete_statistical(events.summary))


def fit_nodes(
    pipeline: Pipeline, job: GradientJob, owner: RunOwner, only: Collection[str] | None = None
) -> None:
    """Fit nodes and report the progress of each.

    Args:
        pipeline: The pipeline, fitted in place.
        job: Names the data, and how many processes share it.
        owner: Receives the progress.
        only: Names of the nodes to fit, in this process alone; None: all that need a fit.

    Raises:
        AppError, Cancelled: as `train_statistically`.
    """
    job.measurements.check_ids(job.data.train_ids)
    with owner.group(TrainingConfig() if only is not None else job.training) as group:
        fit(
            pipeline,
            dataclasses.replace(job, group=group),
            on_event=lambda event: _send(owner, event),
            should_stop=owner.should_stop,
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


def _send(owner: RunOwner, event: FitEvent) -> None:
    match event.kind:
        case "start":
            owner.send(messages.node_started(event.node, event.total))
        case "progress":
            owner.send_if_due(messages.node_progressed(event.node, event.done, event.total))
        case "end":
            owner.send(messages.node_ended(event.node, event.done, event.total))
