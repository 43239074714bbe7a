"""Rules that all run stores and their callers share."""

from fleet_platform.errors import Conflict, NotFound, OutOfOrder
from fleet_platform.runs.run_store import RunStore
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import copied
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState, SessionRecord

KEPT_S = 24 * 3600.0
"""Seconds after the last write to a run until the run and its stream expire."""

MAX_ENTRIES = 50_000
"""Approximate number of entries that a stream keeps; the oldest are removed first."""

REJECTED = RunState.RUN_STATE_REJECTED
"""State of a run that another run with the same id may replace."""

ACTIVE = frozenset({RunState.RUN_STATE_QUEUED, RunState.RUN_STATE_RUNNING})
"""States of a run that has not ended."""


def is_active(run: RunRecord) -> bool:
    """Return whether the run is queued or running."""
    return run.state in ACTIVE


def as_new(run: RunRecord, now_ms: int) -> RunRecord:
    """Return a copy of `run` as it is first stored: queued and without an owner."""
    new = copied(run)
    new.state = RunState.RUN_STATE_QUEUED
    new.created_ms = run.created_ms or now_ms
    for volatile in ("owner", "fencing_token", "heartbeat_ms", "stop_requested", "attempts"):
        new.ClearField(volatile)
    for final_field in ("checkpoint_digest", "result"):
        new.ClearField(final_field)
    return new


def as_final(run: RunRecord) -> RunRecord:
    """Return a copy of `run` as it is last stored, without a checkpoint to resume it from."""
    final = copied(run)
    final.ClearField("checkpoint_digest")
    return final


def require_final(run: RunRecord) -> None:
    """Refuse to finish a run in a state that is not final.

    Raises:
        ValueError: the state is not final, which is a defect in the caller.
    """
    if is_active(run) or run.state == RunState.RUN_STATE_UNSPECIFIED:
        raise ValueError(f"{RunState.Name(run.state)} does not end a run")


def require_no_training(session: SessionRecord, runs: RunStore) -> None:
    """Refuse to replace or change a pipeline that is being trained.

    Raises:
        OutOfOrder: a training run of the session is queued or running.
    """
    if not session.run_id:
        return
    try:
        run = runs.read(session.run_id)
    except NotFound:
        return
    if is_active(run):
        raise OutOfOrder(
            "A training run is active in this session. Wait until its Train stream ends, or call "
            "StopTrain first."
        )


def run_not_found(run_id: str) -> NotFound:
    """Return the error for a run that expired or never existed."""
    return NotFound(f"Training run {shown(run_id)} not found.")


def run_conflict(run_id: str) -> Conflict:
    """Return the error for a writer that does not hold the run, or no longer does."""
    return Conflict(f"Training run {shown(run_id)} has ended or was taken over by another trainer.")
