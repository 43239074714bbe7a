"""Errors that the gateway returns itself, for any method."""

from tests.e2e.errors.row import RowTestedElsewhere

_PROOF = "tests/e2e/errors/test_table.py::test_what_the_gateway_says_itself_is_in_the_table"
_BACK_OFF = "Retry with exponential backoff."


def _local_reply(name: str, code: str, text: str, remedy: str) -> RowTestedElsewhere:
    return RowTestedElsewhere(
        name=name, method="", code=code, text=text, remedy=remedy, proof=_PROOF
    )


ROWS = [
    _local_reply(
        "the gateway requires a key or token, and the call has no valid one",
        "UNAUTHENTICATED",
        "Authentication required: send a valid key or token as metadata "
        "'authorization: Bearer ...'.",
        "Ask the operator for a key.",
    ),
    _local_reply(
        "the certificate or token is valid, but not for this gateway",
        "PERMISSION_DENIED",
        "The certificate or token is not accepted here: it has a different audience, or its "
        "subject is not printable ASCII.",
        "Ask the operator for one that this gateway accepts.",
    ),
    _local_reply(
        "the caller exceeds the rate limit of the gateway",
        "RESOURCE_EXHAUSTED",
        "Rate limit exceeded; try again later.",
        "Call less often.",
    ),
    _local_reply(
        "a service has no healthy replica",
        "UNAVAILABLE",
        "No healthy replica of the <service> service; try again in a moment.",
        _BACK_OFF,
    ),
    _local_reply(
        "a replica failed during a call that the gateway could not retry",
        "UNAVAILABLE",
        "The <service> service did not take the call; try again in a moment.",
        _BACK_OFF,
    ),
    _local_reply(
        "too many calls are pending at the gateway",
        "UNAVAILABLE",
        "Too many calls are waiting for the <service> service; try again later.",
        _BACK_OFF,
    ),
]
"""In the order in which a call meets them."""
