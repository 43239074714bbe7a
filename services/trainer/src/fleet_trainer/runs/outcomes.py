"""The final records of a run."""

from fleet_platform.errors import AppError
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_CANCELLED,
    RUN_STATE_COMPLETE,
    RUN_STATE_FAILED,
    RUN_STATE_QUEUED,
    RUN_STATE_REJECTED,
    RUN_STATE_RUNNING,
    Pipeline,
    RunRecord,
    RunState,
)


def is_active(run: RunRecord) -> bool:
    """Whether the run waits or is worked on."""
    return run.state in {RUN_STATE_QUEUED, RUN_STATE_RUNNING}


def completed(run: RunRecord, result: Pipeline) -> RunRecord:
    """The record of a run that ended well."""
    return _with_result(_ended(run, RUN_STATE_COMPLETE), result)


def failed(run: RunRecord, error: AppError, result: Pipeline | None = None) -> RunRecord:
    """The record of a run that ended with an error; `result` is what came of it before."""
    return _with_error(_with_result(_ended(run, RUN_STATE_FAILED), result), error)


def rejected(run: RunRecord, error: AppError) -> RunRecord:
    """The record of a run that could not be begun; its key may begin another."""
    return _with_error(_ended(run, RUN_STATE_REJECTED), error)


def cancelled(run: RunRecord, result: Pipeline | None = None) -> RunRecord:
    """The record of a run that was stopped; `result` is what came of it before."""
    return _with_result(_ended(run, RUN_STATE_CANCELLED), result)


def _ended(run: RunRecord, state: RunState.ValueType) -> RunRecord:
    ended = RunRecord()
    ended.CopyFrom(run)
    ended.state = state
    return ended


def _with_error(ended: RunRecord, error: AppError) -> RunRecord:
    ended.error_reason = error.reason.name
    ended.error_text = error.text
    return ended


def _with_result(ended: RunRecord, result: Pipeline | None) -> RunRecord:
    if result is not None:
        ended.result.CopyFrom(result)
        ended.result_weights_digest = result.weights_digest
    return ended
