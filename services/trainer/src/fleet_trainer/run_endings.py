"""The final records of a run."""

from fleet_platform.errors import AppError
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_CANCELLED,
    RUN_STATE_COMPLETE,
    RUN_STATE_FAILED,
    RUN_STATE_QUEUED,
    RUN_STATE_RUNNING,
    RunRecord,
)


def is_active(run: RunRecord) -> bool:
    """Whether the run waits or is worked on."""
    return run.state in {RUN_STATE_QUEUED, RUN_STATE_RUNNING}


def completed(run: RunRecord, weights_digest: str) -> RunRecord:
    """The record of a run that ended well."""
    ended = _copy(run)
    ended.state = RUN_STATE_COMPLETE
    ended.result_weights_digest = weights_digest
    return ended


def failed(run: RunRecord, error: AppError) -> RunRecord:
    """The record of a run that ended with an error."""
    ended = _copy(run)
    ended.state = RUN_STATE_FAILED
    ended.error_reason = error.reason.name
    ended.error_text = error.text
    return ended


def cancelled(run: RunRecord) -> RunRecord:
    """The record of a run that was stopped."""
    ended = _copy(run)
    ended.state = RUN_STATE_CANCELLED
    return ended


def _copy(run: RunRecord) -> RunRecord:
    copy = RunRecord()
    copy.CopyFrom(run)
    return copy
