"""Converts the exceptions of handlers to the status that the caller receives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc
from opentelemetry import trace

from fleet_platform.errors import AppError, Reason
from fleet_platform.rpc.interceptors.method_info import MethodInfo
from fleet_platform.rpc.retry_hint import add_retry_hint
from fleet_platform.rpc.status import STATUS_OF, code_of
from fleet_platform.telemetry import current_trace_id, logger

# The text is sent in an HTTP/2 header: peers accept 8 KiB, and escaping may triple its length.
_MAX_TEXT_BYTES = 2048
_log = logger("fleet.rpc")


@contextmanager
def errors(info: MethodInfo) -> Iterator[None]:
    """Map ``AppError`` to the status of its reason, and other exceptions to INTERNAL."""
    try:
        yield
    except AppError as error:
        if error.reason is Reason.DEFECT:
            _abort_unexpected(info, error)
        code, text = STATUS_OF[error.reason], clipped(error.text)
        if error.retry_after_s is not None:
            add_retry_hint(info.context, code, text, error.retry_after_s)
        info.context.abort(code, text)
    except GeneratorExit:  # the caller cancelled a stream
        raise
    except BaseException as error:  # native libraries raise these as well
        if _is_raised_by_grpc(error, info.context):
            raise
        _abort_unexpected(info, error)


def clipped(text: str) -> str:
    """Return the text, truncated if it does not fit into a header."""
    raw = text.encode()
    if len(raw) <= _MAX_TEXT_BYTES:
        return text
    return raw[:_MAX_TEXT_BYTES].decode(errors="ignore") + " ..."


def _is_raised_by_grpc(error: BaseException, context: grpc.ServicerContext) -> bool:
    aborted = type(error) is Exception and not error.args and code_of(context) is not None
    request_stream_ended = type(error) is grpc.RpcError
    return aborted or request_stream_ended


def _abort_unexpected(info: MethodInfo, error: BaseException) -> NoReturn:
    trace.get_current_span().record_exception(error)
    _log.error("call.failed_unexpectedly", method=info.method, exc_info=error)
    info.context.abort(
        grpc.StatusCode.INTERNAL,
        f"Unexpected error; the server's log has it under trace id {current_trace_id()}.",
    )
