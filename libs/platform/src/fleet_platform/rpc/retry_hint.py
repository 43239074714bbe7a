"""Tells the caller of a refused call when to send it again, in the two forms that clients read."""

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata with a ``google.rpc.Status``, which clients look through for details."""

PUSHBACK_KEY = "grpc-retry-pushback-ms"
"""Trailing metadata that gRPC's own retries obey, where a client has set them up."""


def add_retry_hint(
    context: grpc.ServicerContext, code: grpc.StatusCode, text: str, after_s: float
) -> None:
    """Add the wait to the trailing metadata that the call has so far.

    Args:
        context: of a call that is about to be refused.
        code: what it is refused with.
        text: the same that goes with the code.
        after_s: seconds to wait.
    """
    after_ms = round(after_s * 1000)
    delay = Duration()
    delay.FromMilliseconds(after_ms)
    status = Status(code=code.value[0], message=text)
    status.details.add().Pack(RetryInfo(retry_delay=delay))
    so_far = context.trailing_metadata()
    context.set_trailing_metadata(
        (*so_far, (DETAILS_KEY, status.SerializeToString()), (PUSHBACK_KEY, str(after_ms)))
    )
