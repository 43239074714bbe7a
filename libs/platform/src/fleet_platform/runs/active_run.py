"""A summary of a run that has not ended."""

from typing import NamedTuple


class ActiveRun(NamedTuple):
    """A queued or running run.

    Attributes:
        run_id: id of the run.
        session_id: id of its session.
        queued: whether it waits for a trainer; False: it is running.
        fencing_token: its current token; a claim with this token fails if another owner was faster.
        heartbeat_ms: time of its owner's last heartbeat; 0: never.
    """

    run_id: str
    session_id: str
    queued: bool
    fencing_token: int
    heartbeat_ms: int
