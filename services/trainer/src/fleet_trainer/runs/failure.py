"""How a failed run is told: from the exception in the child to the error that the client gets."""

from fleet_platform.errors import (
    AppError,
    Cancelled,
    Conflict,
    DeadlinePassed,
    DependencyDown,
    Exhausted,
    InvalidInput,
    NotFound,
    OutOfOrder,
    Reason,
)
from fleet_proto.records.v1.records_pb2 import RunRecord

_ERRORS: dict[Reason, type[AppError]] = {
    error.reason: error
    for error in (
        AppError,
        Cancelled,
        Conflict,
        DeadlinePassed,
        DependencyDown,
        Exhausted,
        InvalidInput,
        NotFound,
        OutOfOrder,
    )
}


def error_of(run: RunRecord) -> AppError:
    """The error that a FAILED run ended with.

    Args:
        run: Its record; a reason that this release does not know counts as a defect.
    """
    return error_told(run.error_reason, run.error_text)


def error_told(reason_name: str, text: str) -> AppError:
    """The error that another process told by the name of its reason and its text."""
    known = reason_name in Reason.__members__
    reason = Reason[reason_name] if known else Reason.DEFECT
    return _ERRORS[reason](text)


def error_from(exception: Exception, trace_id: str) -> AppError:
    """What a client may know about an exception that ended a run.

    Args:
        exception: Anything that was raised while the run was worked on.
        trace_id: Where the server's log has the rest.
    """
    if isinstance(exception, AppError):
        return exception
    # Torch takes seconds to import: the parent, which tells failures only, shall not wait for it.
    from fleet_engine.out_of_memory import is_out_of_memory

    if is_out_of_memory(exception):
        return Exhausted(
            "Training ran out of memory. Use a smaller data.batch_size or smaller measurements, or"
            " call Train again when the device is less busy."
        )
    return AppError(f"Unexpected error; the server's log has it under trace id {trace_id}.")
