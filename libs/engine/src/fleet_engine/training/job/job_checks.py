"""Checks of a gradient job."""

from fleet_engine.training.job.batch_limits import check_batch_limits
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.job.optimizers import check_optimizer, check_scheduler
from fleet_engine.training.job.process_count import process_count
from fleet_platform.errors import InvalidInput

_MAX_SEED = 2**32 - 1
"""Upper limit of NumPy's generator."""

_PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "64-true", "32", "16", "bf16", "64")
"""Nodes exchange float32 values, so nodes with half-precision weights could not compute."""


def check_job(job: GradientJob) -> None:
    """Raise InvalidInput for settings that cannot work, before anything is computed."""
    check_optimizer(job.training.optimizer)
    check_scheduler(job.training.scheduler)
    job.measurements.check_ids(job.data.train_ids, "train")
    job.measurements.check_splits(job.data)
    process_count(job.training)
    check_batch_limits(job)
    if job.training.seed > _MAX_SEED:
        raise InvalidInput(f"training.seed is {job.training.seed}; it must be {_MAX_SEED} at most.")
    if str(job.training.precision) not in _PRECISIONS:
        raise InvalidInput(
            f"training.precision '{job.training.precision}' cannot be used; known: "
            f"{', '.join(_PRECISIONS)}."
        )
