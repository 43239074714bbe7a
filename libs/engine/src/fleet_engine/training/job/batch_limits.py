"""Checks of settings that count batches."""

import math

from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.job.process_count import process_count
from fleet_platform.errors import InvalidInput


def check_batch_limits(job: GradientJob) -> None:
    """Refuse limits and intervals that leave nothing to train or validate on.

    A whole number counts batches, and a fraction is a share of all batches. A limit of 0 validation
    batches disables validation.

    Raises:
        InvalidInput: a limit or interval is out of range; the text names the number of batches.
    """
    training = job.training
    batches = _batches(job, job.data.train_ids)
    if training.limit_train_batches == 0:
        raise InvalidInput(
            "training.limit_train_batches is 0, which leaves nothing to train on; it must be at "
            "least 1 batch, or null for all."
        )
    train_batches = _limited("limit_train_batches", training.limit_train_batches, batches)
    if not job.data.val_ids or training.limit_val_batches == 0:
        return
    _limited("limit_val_batches", training.limit_val_batches, _batches(job, job.data.val_ids))
    _check_interval(job, train_batches)


def _batches(job: GradientJob, ids: list[int]) -> int:
    """Return the number of batches of one process."""
    processes = process_count(job.training) * (job.training.num_nodes or 1)
    return math.ceil(math.ceil(len(ids) / processes) / job.data.batch_size)


def _limited(key: str, limit: int | float | None, batches: int) -> int:
    if limit is None:
        return batches
    if isinstance(limit, int):
        return min(limit, batches)
    limited = int(limit * batches)
    if limited == 0:
        raise InvalidInput(
            f"training.{key} is {limit}, which of {batches} batches is less than one; it must be "
            f"at least {1 / batches:.4g}, or a whole number of batches."
        )
    return limited


def _check_interval(job: GradientJob, batches: int) -> None:
    interval, epochs = job.training.val_check_interval, job.training.check_val_every_n_epoch
    place = f"training.val_check_interval is {interval}"
    if interval is None:
        return
    if epochs is None and isinstance(interval, float):
        raise InvalidInput(
            f"{place}, a share of an epoch, and training.check_val_every_n_epoch is null, which "
            "counts batches across epochs; set val_check_interval to a whole number of batches, or "
            "check_val_every_n_epoch to 1."
        )
    if isinstance(interval, float):
        if interval > 1:
            raise InvalidInput(
                f"{place}; it must be a share of an epoch up to 1.0, or a whole number of batches."
            )
    elif interval == 0:
        raise InvalidInput(f"{place}; it must be at least 1 batch.")
    elif epochs is not None and interval > batches:
        raise InvalidInput(
            f"{place}, but an epoch has {batches} batches; set it to {batches} at most, or "
            "check_val_every_n_epoch to null to count batches across epochs."
        )
