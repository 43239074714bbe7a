"""Training: statistical fitting by streaming the data, calibration, evaluation.

Gradient training is in `fleet_engine.training.gradient`.
"""

from fleet_engine.training.distributed.data_shard import DataShard
from fleet_engine.training.distributed.worker_group import WorkerGroup
from fleet_engine.training.evaluation.post_fit import calibrate_and_evaluate
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.job.job_checks import check_job
from fleet_engine.training.job.process_count import process_count
from fleet_engine.training.statistical.fit_event import FitEvent
from fleet_engine.training.statistical.fit_stages import unfitted_nodes
from fleet_engine.training.statistical.fitting import Batch, fit_statistics
from fleet_engine.training.training_event import (
    BestCheckpoint,
    CalibrationReport,
    Hook,
    TrainingEvent,
)

__all__ = [
    "Batch",
    "BestCheckpoint",
    "CalibrationReport",
    "DataShard",
    "FitEvent",
    "GradientJob",
    "Hook",
    "TrainingEvent",
    "WorkerGroup",
    "calibrate_and_evaluate",
    "check_job",
    "fit_statistics",
    "process_count",
    "unfitted_nodes",
]
