"""How a failed run is told: from the exception in the child to the error that the client gets."""

from fleet_platform.errors import (
    AppError,
    Cancelled,
    Conflict,
    DependencyDown,
    Exhausted,
    InvalidInput,
    NotFound,
    NotImplementedYet,
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
        DependencyDown,
        Exhausted,
        InvalidInput,
        NotFound,
        NotImplementedYet,
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
    if is_out_of_memory(exception):
        return Exhausted(
            "Training ran out of memory. Use a smaller data.batch_size or smaller measurements, or"
            " call Train again when the device is less busy."
        )
    return AppError(f"Unexpected error; the server's log has it under trace id {trace_id}.")


def is_out_of_memory(exception: Exception) -> bool:
    """Whether memory ran out, on the host or on the device."""
    # torch names its own class for devices; its allocator on the host raises a plain RuntimeError.
    return (
        isinstance(exception, MemoryError)
        or type(exception).__name__ == "OutOfMemoryError"
        or (isinstance(exception, RuntimeError) and "DefaultCPUAllocator" in str(exception))
    )
