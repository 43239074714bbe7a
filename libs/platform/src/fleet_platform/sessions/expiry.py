"""What is said of sessions that are not there."""

from fleet_platform.errors import NotFound
from fleet_platform.shown_text import shown


def session_not_found(session_id: str, ttl_s: float) -> NotFound:
    """The error for a session that expired or never was."""
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
