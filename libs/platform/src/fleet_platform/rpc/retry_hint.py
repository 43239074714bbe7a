"""Attaches a retry delay to rejected calls, as RetryInfo and as a pushback header."""

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from fleet_proto.headers import RETRY_PUSHBACK, STATUS_DETAILS


def add_retry_hint(
    context: grpc.ServicerContext, code: grpc.StatusCode, text: str, after_s: float
) -> None:
    """Add the delay to the trailing metadata of a call.

    Args:
        context: Context of a call that is about to be rejected.
        code: Status code of the rejection.
        text: Its status message.
        after_s: Delay in seconds.
    """
    after_ms = round(after_s * 1000)
    delay = Duration()
    delay.FromMilliseconds(after_ms)
    status = Status(code=code.value[0], message=text)
    status.details.add().Pack(RetryInfo(retry_delay=delay))
    present = context.trailing_metadata()
    context.set_trailing_metadata(
        (*present, (STATUS_DETAILS, status.SerializeToString()), (RETRY_PUSHBACK, str(after_ms)))
    )
