"""The contract of a run store: training runs and the stream of their progress."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_proto.records.v1.records_pb2 import RunRecord


class ProgressEntry(NamedTuple):
    """One message of a run's stream.

    Attributes:
        position: where it stands in the stream; pass it to `RunStore.tail` to continue after it.
        payload: a serialised ``cuvis_ai.v1.TrainResponse``.
    """

    position: str
    payload: bytes


class RunStore(Protocol):
    """Run records with a fencing token, a heartbeat and an append-only stream of progress.

    Every method has a deadline of its own and raises `DependencyDown` when the store does not
    answer. A run and its stream are forgotten a day after the last write; `tail` and `latest` then
    give nothing, `heartbeat`, `release`, `cancel_queued` and `request_stop` are refused, all others
    raise `NotFound`. A stream keeps about its newest 50 000 entries.

    A run is QUEUED, then RUNNING while an owner holds it, perhaps QUEUED again because the owner
    gave it back or died, and in the end COMPLETE, FAILED or CANCELLED for good. One that was never
    begun may end REJECTED, which frees its id.
    """

    def create(self, run: RunRecord) -> RunRecord:
        """Make `run` the session's active run, unless it is there or another one is active.

        An existing run of the same id is returned unchanged, whether it is active or has ended,
        unless it was REJECTED: then it is replaced and the new run continues its fencing token, so
        that tokens never decrease. Otherwise the session's active run is returned if it has one; a
        run is active while its state is QUEUED or RUNNING. Atomic per session: of two callers one
        creates the run and the other gets its record. A new run is QUEUED and has no owner,
        whatever `run` contains; ``created_ms`` is set if it is unset.
        """

    def active(self) -> list[ActiveRun]:
        """All runs that wait or are worked on, in the order in which they were created.

        A run that was given back keeps its place.
        """

    def claim(self, run_id: str, owner: str, expected_token: int | None = None) -> RunRecord:
        """Take the run: owner set, state RUNNING, fencing token and attempts one higher.

        Counts as a heartbeat.

        Args:
            run_id: The run.
            owner: Who takes it.
            expected_token: Only while this is its token, so that one of several callers gets it;
                None: whatever its token is.

        Raises:
            NotFound: unknown or expired.
            Conflict: the run ended already, or its token is another one.
        """

    def read(self, run_id: str) -> RunRecord:
        """Return the record.

        Raises:
            NotFound: unknown or expired.
        """

    def all(self) -> Iterator[RunRecord]:
        """Every run that is remembered, ended or not, in no order; keeps none of them.

        One that is there throughout is among them; those that cannot be read are left out.
        """

    def heartbeat(self, run_id: str, fencing_token: int) -> LeaseStatus:
        """Say that the owner lives, and hear whether it may go on; keeps a queued run as well."""

    def release(self, run_id: str, fencing_token: int, *, died: bool) -> bool:
        """Put a run that is worked on back into the queue, at its old place.

        The token rises, so that whoever held the run can write nothing more.

        Args:
            run_id: The run.
            fencing_token: Its newest token.
            died: Its owner died; False: it gave the run back, which does not count as an attempt.

        Returns:
            False when the token is not the newest, or the run waits or ended already.
        """

    def save_checkpoint(self, run_id: str, fencing_token: int, checkpoint_digest: str) -> None:
        """Note the artifact from which the run can be resumed; attempts count from 0 again.

        Raises:
            Conflict: the token is not the newest, or the run ended: nothing was written.
        """

    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        """Add a progress message; returns its position.

        Raises:
            Conflict: the token is not the newest, or the run ended: nothing was written.
        """

    def finish(self, run: RunRecord, payload: bytes) -> None:
        """Write `run`, whose state is terminal, and its last message in one step.

        Owner, heartbeat, attempts and stop request stay as they are stored; the checkpoint is
        forgotten.

        Raises:
            Conflict: ``run.fencing_token`` is not the newest, or the run ended already.
        """

    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        """End a run that nobody works on, as `finish` does; False when it is not QUEUED."""

    def request_stop(self, run_id: str) -> bool:
        """Ask the owner to stop at the next boundary; False when the run is not active."""

    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        """Yield the entries after `after` ("" = from the first), waiting up to `wait_s` for news.

        Ends, without an error, when nothing came for `wait_s`, so that the caller can look whether
        its client is still there and whether the run ended.
        """

    def latest(self, run_id: str) -> ProgressEntry | None:
        """The newest entry, or None while there is none."""
