"""The pool of worker processes, as the trainer sees it."""

from fleet_trainer.workers.metrics import register_metrics
from fleet_trainer.workers.pool import WorkerPool
from fleet_trainer.workers.process import WorkerProcess

__all__ = ["WorkerPool", "WorkerProcess", "register_metrics"]
