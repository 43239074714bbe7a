"""What all run stores agree on."""

from fleet_platform.errors import Conflict, NotFound
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState

KEPT_S = 24 * 3600.0
"""Seconds after the last write to a run until the run and its stream are forgotten."""

MAX_ENTRIES = 50_000
"""About how many entries of a stream are kept; the oldest go first."""

REJECTED = RunState.RUN_STATE_REJECTED
"""State of a run in whose place another one of the same id may be made."""

ACTIVE = frozenset({RunState.RUN_STATE_QUEUED, RunState.RUN_STATE_RUNNING})
"""States of a run that has not ended."""


def as_new(run: RunRecord, now_ms: int) -> RunRecord:
    """A copy of `run` as it is stored first: queued, owned by nobody."""
    new = RunRecord()
    new.CopyFrom(run)
    new.state = RunState.RUN_STATE_QUEUED
    new.created_ms = run.created_ms or now_ms
    for volatile in ("owner", "fencing_token", "heartbeat_ms", "stop_requested", "attempts"):
        new.ClearField(volatile)
    for of_the_end in ("checkpoint_digest", "result"):
        new.ClearField(of_the_end)
    return new


def as_final(run: RunRecord) -> RunRecord:
    """A copy of `run` as it is stored last, with nothing left to resume it from."""
    final = RunRecord()
    final.CopyFrom(run)
    final.ClearField("checkpoint_digest")
    return final


def require_final(run: RunRecord) -> None:
    """Refuse to finish a run in a state that is not final: a defect of the caller."""
    if run.state in ACTIVE or run.state == RunState.RUN_STATE_UNSPECIFIED:
        raise ValueError(f"{RunState.Name(run.state)} does not end a run")


def run_not_found(run_id: str) -> NotFound:
    """The error for a run that expired or never was."""
    return NotFound(f"Training run {shown(run_id)} not found.")


def run_conflict(run_id: str) -> Conflict:
    """The error for a writer that does not hold the run, or not any more."""
    return Conflict(f"Training run {shown(run_id)} has ended or was taken over by another trainer.")
