"""Errors that a service may return for any method."""

from functools import partial

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.errors.row import Row, RowTestedElsewhere, Session, Situation
from tests.support.case import DOWN

_CONTRACT = "tests/contract/stores"
_PLATFORM = "tests/service/platform"
_ANSWERS = "tests/e2e/errors/test_answers.py"
_AGAIN = "Wait for the stated time and call again."
_BACK_OFF = "Retry with exponential backoff."
_OPERATOR = "Contact the operator."
_STORE_DOWN = "The session store does not answer; try again in a moment."


def _general(name: str, code: str, text: str, remedy: str, proof: str) -> RowTestedElsewhere:
    return RowTestedElsewhere(
        name=name, method="", code=code, text=text, remedy=remedy, proof=proof
    )


GENERAL = [
    _general(
        "the request cannot be decoded",
        "INVALID_ARGUMENT",
        "The request is not a cuvis_ai.v1.<method>Request message.",
        "Use the messages of a published schema release.",
        f"{_ANSWERS}::test_bytes_that_are_no_message",
    ),
    _general(
        "one caller exceeds the limit of concurrent calls",
        "RESOURCE_EXHAUSTED",
        "You already have <most> calls running on this replica, the per-caller limit; "
        "try again in 1 s.",
        _AGAIN,
        f"{_PLATFORM}/test_callers.py::test_the_concurrent_calls_of_each_caller_are_limited",
    ),
    _general(
        "all workers are busy and the queue is full, or too many streams are open",
        "RESOURCE_EXHAUSTED",
        "The server is busy and its queue is full; try again in 1 s.",
        _AGAIN,
        "tests/e2e/test_overload.py::"
        "test_a_full_queue_is_told_as_the_service_told_it_and_not_tried_again",
    ),
    _general(
        "the message is larger than `GRPC_MAX_MSG_SIZE`",
        "RESOURCE_EXHAUSTED",
        "SERVER: Received message larger than max (<size> vs. <limit>)",
        "Send fewer or smaller measurements at once.",
        "tests/e2e/test_overload.py::test_a_message_above_the_limit_is_refused",
    ),
    _general(
        "the session store is full",
        "RESOURCE_EXHAUSTED",
        "The session store is full; try again later.",
        _OPERATOR,
        f"{_CONTRACT}/test_redis_sessions.py::test_a_read_only_or_full_server_is_reported_plainly",
    ),
    _general(
        "the artifact volume is full",
        "RESOURCE_EXHAUSTED",
        "The artifact volume is full; free some space and try again.",
        _OPERATOR,
        f"{_CONTRACT}/test_file_artifacts.py::test_a_volume_that_is_full_or_broken_while_writing",
    ),
    _general(
        "too many calls change one session at the same time",
        "ABORTED",
        "Session <session_id> is being changed by too many calls at once; try again.",
        "Call again; send calls that change a session one after another.",
        f"{_CONTRACT}/test_session_store.py::test_a_writer_that_always_conflicts_gives_up",
    ),
    _general(
        "the session store does not respond",
        "UNAVAILABLE",
        _STORE_DOWN,
        _BACK_OFF,
        f"{_ANSWERS}::test_each_method_reports_that_the_store_is_down",
    ),
    _general(
        "the artifact volume does not respond",
        "UNAVAILABLE",
        "The artifact volume cannot be used; try again in a moment.",
        _BACK_OFF,
        f"{_CONTRACT}/test_file_artifacts.py::test_a_volume_that_is_full_or_broken_while_writing",
    ),
    _general(
        "the deadline has passed",
        "DEADLINE_EXCEEDED",
        "",
        "Allow more time. The call may or may not have taken effect.",
        "tests/e2e/test_overload.py::test_a_call_that_nobody_waits_for_any_more_is_never_begun",
    ),
    _general(
        "the client cancelled the call",
        "CANCELLED",
        "",
        "Nothing.",
        f"{_PLATFORM}/test_calls.py::test_a_call_that_was_cancelled_in_the_queue_is_not_started",
    ),
    _general(
        "an unexpected error in the server",
        "INTERNAL",
        "Unexpected error; the server's log has it under trace id <trace_id>.",
        "Report it with the trace id.",
        f"{_PLATFORM}/test_errors.py::test_unexpected_errors_are_logged_but_not_sent",
    ),
    _general(
        "the method does not exist",
        "UNIMPLEMENTED",
        "",
        "Correct the method's name.",
        "tests/e2e/test_gateway.py::test_a_method_that_does_not_exist_is_unimplemented",
    ),
]
"""In the order in which a call meets them."""

_NEEDED = {"LoadPipelineWeights": {"weights_path": "x.pt"}}

STORE_DOWN = [
    Row(
        name="the session store is down",
        method=method,
        fields=partial(dict, _NEEDED.get(method, {})),
        code=DOWN,
        text=_STORE_DOWN,
        remedy="Retry with exponential backoff.",
        in_session="session_id" in getattr(pb2, f"{method}Request").DESCRIPTOR.fields_by_name,
        session=Session.NEW,
        situation=Situation.STORE_DOWN,
    )
    for methods in METHODS_BY_SERVICE.values()
    for method in sorted(methods)
    if method == "CreateSession"
    or "session_id" in getattr(pb2, f"{method}Request").DESCRIPTOR.fields_by_name
]
