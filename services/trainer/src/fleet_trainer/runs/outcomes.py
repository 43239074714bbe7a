"""The final records of runs, and the errors in them."""

from fleet_platform.errors import AppError, Exhausted, Reason
from fleet_platform.stored_records import copied
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_CANCELLED,
    RUN_STATE_COMPLETE,
    RUN_STATE_FAILED,
    RUN_STATE_REJECTED,
    Pipeline,
    RunRecord,
    RunState,
)

_ERRORS: dict[Reason, type[AppError]] = {AppError.reason: AppError} | {
    error.reason: error for error in AppError.__subclasses__()
}


def completed(run: RunRecord, result: Pipeline) -> RunRecord:
    """Return the record of a run that succeeded."""
    return _with_result(_ended(run, RUN_STATE_COMPLETE), result)


def failed(run: RunRecord, error: AppError, result: Pipeline | None = None) -> RunRecord:
    """Return the record of a run that failed; `result` is what it had trained until then."""
    return _with_error(_with_result(_ended(run, RUN_STATE_FAILED), result), error)


def rejected(run: RunRecord, error: AppError) -> RunRecord:
    """Return the record of a run that could not be launched; its key may launch another one."""
    return _with_error(_ended(run, RUN_STATE_REJECTED), error)


def cancelled(run: RunRecord, result: Pipeline | None = None) -> RunRecord:
    """Return the record of a run that was stopped; `result` is what it had trained until then."""
    return _with_result(_ended(run, RUN_STATE_CANCELLED), result)


def error_of(run: RunRecord) -> AppError:
    """Return the error with which a FAILED run ended.

    Args:
        run: Its record. A reason that this release does not know counts as a defect.
    """
    return restored_error(run.error_reason, run.error_text)


def restored_error(reason_name: str, text: str) -> AppError:
    """Return an error of another process from the name of its reason and its text."""
    known = reason_name in Reason.__members__
    reason = Reason[reason_name] if known else Reason.DEFECT
    return _ERRORS[reason](text)


def public_error(exception: Exception, trace_id: str) -> AppError:
    """Return what a client may know about an exception that ended a run.

    Args:
        exception: Anything that was raised during the run.
        trace_id: The trace under which the server's log has the details.
    """
    if isinstance(exception, AppError):
        return exception
    # Importing torch takes seconds, which the trainer's own process must not wait for.
    from fleet_engine.out_of_memory import is_out_of_memory

    if is_out_of_memory(exception):
        return Exhausted(
            "Training ran out of memory. Use a smaller data.batch_size or smaller measurements, or"
            " call Train again when the device is less busy."
        )
    return AppError(f"Unexpected error; the server's log has it under trace id {trace_id}.")


def _ended(run: RunRecord, state: RunState.ValueType) -> RunRecord:
    ended = copied(run)
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
