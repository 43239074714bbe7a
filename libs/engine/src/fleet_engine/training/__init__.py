"""Training: statistical fitting by streaming the data, calibration, evaluation.

Gradient training is in `fleet_engine.training.gradient`.
"""

from fleet_engine.training.fit_event import FitEvent
from fleet_engine.training.fit_waves import unfitted_nodes
from fleet_engine.training.gradient_job import GradientJob
from fleet_engine.training.job_checks import check_job
from fleet_engine.training.post_fit import calibrate_and_evaluate
from fleet_engine.training.process_count import process_count
from fleet_engine.training.share import Share
from fleet_engine.training.statistical import Batch, fit_statistics
from fleet_engine.training.training_event import (
    BestCheckpoint,
    CalibrationReport,
    Hook,
    TrainingEvent,
)
from fleet_engine.training.worker_group import WorkerGroup

__all__ = [
    "Batch",
    "BestCheckpoint",
    "CalibrationReport",
    "FitEvent",
    "GradientJob",
    "Hook",
    "Share",
    "TrainingEvent",
    "WorkerGroup",
    "calibrate_and_evaluate",
    "check_job",
    "fit_statistics",
    "process_count",
    "unfitted_nodes",
]
