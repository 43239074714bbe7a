"""What of a gradient training can be judged before anything is computed."""

from fleet_engine.training.gradient_job import GradientJob
from fleet_engine.training.optimizers import check_optimizer, check_scheduler
from fleet_engine.training.process_count import process_count


def check_job(job: GradientJob) -> None:
    """Refuse settings that cannot work, before anything is computed; raises InvalidInput."""
    check_optimizer(job.training.optimizer)
    check_scheduler(job.training.scheduler)
    job.measurements.check_ids(job.data.train_ids)
    if job.data.val_ids:
        job.measurements.check_ids(job.data.val_ids)
    process_count(job.training)
