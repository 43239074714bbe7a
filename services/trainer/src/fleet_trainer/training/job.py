"""Translates the record of a run into a job of the engine."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fleet_engine import Pipeline
from fleet_engine.data import open_measurements
from fleet_engine.nodes.visualizers.tensorboard_monitor import TensorBoardMonitorNode
from fleet_engine.training import GradientJob, WorkerGroup
from fleet_platform.errors import AppError
from fleet_platform.files import PathPolicy
from fleet_schemas import DataConfig, PipelineConfig, TrainingConfig, parse_config
from fleet_trainer.runs.configs import NodeLists
from fleet_trainer.training.context import RunContext


def training_job(context: RunContext, group: WorkerGroup | None = None) -> GradientJob:
    """Parse the settings of a run and open its data.

    Args:
        context: The run; defaults replace missing training settings.
        group: The processes that train together; None if this one trains alone.

    Raises:
        AppError: the data are missing or unreadable, or a split names measurements that they lack.
    """
    run = context.run
    lists = NodeLists.of(run.trainrun_config_json)
    data = parse_config(DataConfig, run.data_config_json, "data")
    measurements = open_measurements(data, context.paths, read_ahead=context.settings.read_ahead)
    measurements.check_splits(data)
    pipeline = parse_config(PipelineConfig, run.pipeline.config_json, "pipeline")
    frozen = (name for name in pipeline.frozen_nodes if name not in lists.unfreeze_nodes)
    return GradientJob(
        training=parse_config(TrainingConfig, run.training_config_json or b"{}", "training"),
        data=data,
        measurements=measurements,
        loss_nodes=lists.loss_nodes,
        metric_nodes=lists.metric_nodes,
        freeze_nodes=(*lists.freeze_nodes, *frozen),
        unfreeze_nodes=lists.unfreeze_nodes,
        group=group,
    )


def of_known_nodes(job: GradientJob, pipeline: Pipeline) -> GradientJob:
    """Return the job without loss and metric nodes that the pipeline does not have.

    For steps that need none of them: the lists may belong to another pipeline.
    """
    return dataclasses.replace(
        job,
        loss_nodes=tuple(name for name in job.loss_nodes if name in pipeline.nodes),
        metric_nodes=tuple(name for name in job.metric_nodes if name in pipeline.nodes),
    )


@contextmanager
def event_files(pipeline: Pipeline, paths: PathPolicy) -> Iterator[None]:
    """Allow monitor nodes to write below the output folder, and close their files at the end.

    A folder outside is refused with `InvalidInput` when the first event is written.

    Raises:
        Exhausted, DependencyDown: the files cannot be closed, and nothing failed before.
    """
    monitors = [
        node for node in pipeline.nodes.values() if isinstance(node, TensorBoardMonitorNode)
    ]
    for monitor in monitors:
        monitor.resolve_folder = paths.writable_folder
    try:
        yield
    except BaseException:
        for monitor in monitors:
            with suppress(AppError):
                monitor.close()
        raise
    for monitor in monitors:
        monitor.close()
