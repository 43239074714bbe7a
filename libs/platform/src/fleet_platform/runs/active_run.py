"""What is quickly told of a run that has not ended."""

from typing import NamedTuple


class ActiveRun(NamedTuple):
    """A run that waits or is worked on.

    Attributes:
        run_id: the run.
        session_id: whose it is.
        queued: it waits for a trainer; False: it is worked on.
        fencing_token: its newest token; a claim that names it fails when somebody was faster.
        heartbeat_ms: when its owner last said that it is alive; 0: never.
    """

    run_id: str
    session_id: str
    queued: bool
    fencing_token: int
    heartbeat_ms: int
