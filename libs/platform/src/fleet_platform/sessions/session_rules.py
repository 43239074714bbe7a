"""Rules that all session stores and their callers share."""

from fleet_platform.errors import NotFound, OutOfOrder
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import Pipeline, SessionRecord


def require_pipeline(session: SessionRecord) -> Pipeline:
    """Return the session's pipeline.

    Raises:
        OutOfOrder: no pipeline is loaded.
    """
    if not session.HasField("pipeline"):
        raise OutOfOrder(
            "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
        )
    return session.pipeline


def session_not_found(session_id: str, ttl_s: float) -> NotFound:
    """Return the error for a session that expired or never existed."""
    named = shown(session_id) or "(session_id is empty)"
    return NotFound(
        f"Session {named} not found. Sessions expire after {_duration(ttl_s)} "
        "without a call; create a new one with CreateSession."
    )


def _duration(seconds: float) -> str:
    for unit, length_s in (("h", 3600), ("min", 60)):
        if seconds >= length_s and seconds % length_s == 0:
            return f"{seconds / length_s:g} {unit}"
    return f"{seconds:g} s"
