"""The mapping from error reasons to gRPC status codes."""

from collections.abc import Mapping
from types import MappingProxyType

import grpc

from fleet_platform.errors import Reason

STATUS_OF: Mapping[Reason, grpc.StatusCode] = MappingProxyType(
    {
        Reason.INVALID_INPUT: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
        Reason.OUT_OF_ORDER: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.DEPENDENCY_DOWN: grpc.StatusCode.UNAVAILABLE,
        Reason.CONFLICT: grpc.StatusCode.ABORTED,
        Reason.CANCELLED: grpc.StatusCode.CANCELLED,
        Reason.DEADLINE_PASSED: grpc.StatusCode.DEADLINE_EXCEEDED,
        Reason.DEFECT: grpc.StatusCode.INTERNAL,
    }
)
"""The status of each reason; a test checks that none is missing."""


def code_of(context: grpc.ServicerContext) -> grpc.StatusCode | None:
    """Return the status that the handler has set, or None."""
    code: grpc.StatusCode | None = context.code()  # type: ignore[attr-defined] # not in the stubs
    return code


def text_of(context: grpc.ServicerContext) -> str:
    """Return the status message, or an empty string."""
    details: bytes | None = context.details()  # type: ignore[attr-defined] # not in the stubs
    return "" if details is None else details.decode()


def outcome(context: grpc.ServicerContext) -> grpc.StatusCode:
    """Return the status of a call whose handler has ended."""
    code = code_of(context)
    if code is not None:
        return code
    if context.time_remaining() <= 0:
        return grpc.StatusCode.DEADLINE_EXCEEDED
    return grpc.StatusCode.OK if context.is_active() else grpc.StatusCode.CANCELLED
