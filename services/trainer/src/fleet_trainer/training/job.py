"""From a run's record to what the engine is asked to do."""

import dataclasses

from fleet_engine import Pipeline
from fleet_engine.data import open_measurements
from fleet_engine.training import GradientJob, WorkerGroup
from fleet_platform.files import PathPolicy
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_schemas import DataConfig, PipelineConfig, TrainingConfig, parse_config
from fleet_trainer.runs.configs import NodeLists


def training_job(
    run: RunRecord, policy: PathPolicy, read_ahead: int, group: WorkerGroup | None = None
) -> GradientJob:
    """Parse a run's settings and open its data.

    Args:
        run: its record; without training settings, the defaults count.
        policy: what may be read.
        read_ahead: measurements that may be read before they are asked for.
        group: the processes that train together; None: this one alone.

    Raises:
        AppError: the data are not there, cannot be read, or a split names what they do not have.
    """
    lists = NodeLists.of(run.trainrun_config_json)
    data = parse_config(DataConfig, run.data_config_json, "data")
    measurements = open_measurements(data, policy, read_ahead=read_ahead)
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
    """The job without loss and metric nodes that the pipeline does not have.

    For what needs none of them: the lists may be those of another pipeline.
    """
    return dataclasses.replace(
        job,
        loss_nodes=tuple(name for name in job.loss_nodes if name in pipeline.nodes),
        metric_nodes=tuple(name for name in job.metric_nodes if name in pipeline.nodes),
    )
