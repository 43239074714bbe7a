"""The contract of a run store: training runs and their progress streams."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_proto.records.v1.records_pb2 import RunRecord


class ProgressEntry(NamedTuple):
    """One message of a run's stream.

    Attributes:
        position: position in the stream; pass it to `RunStore.tail` to continue after it.
        payload: a serialised ``cuvis_ai.v1.TrainResponse``.
    """

    position: str
    payload: bytes


class RunStore(ABC):
    """Run records with a fencing token, a heartbeat and an append-only stream of progress.

    Every method has its own deadline and raises `DependencyDown` if the store does not answer. A
    run and its stream expire a day after the last write; then `tail` yields nothing, `latest`
    returns None, `heartbeat`, `release`, `cancel_queued` and `request_stop` return a falsy value,
    and all other methods raise `NotFound`. A stream keeps roughly its newest 50 000 entries.

    A run is QUEUED, then RUNNING while it has an owner, QUEUED again if the owner released it or
    died, and finally COMPLETE, FAILED or CANCELLED. A run that was never started may end as
    REJECTED, which frees its id.
    """

    @abstractmethod
    def create(self, run: RunRecord) -> RunRecord:
        """Make `run` the session's active run, unless it already exists or another one is active.

        An existing run with the same id is returned unchanged, whether it is active or has ended,
        unless it was REJECTED: then it is replaced and the new run continues its fencing token, so
        that tokens never decrease. Otherwise the session's active run is returned if it has one; a
        run is active while its state is QUEUED or RUNNING. This is atomic per session: of two
        callers, one creates the run and the other gets its record. A new run is QUEUED and has no
        owner, whatever `run` contains; ``created_ms`` is set if it is unset.
        """

    @abstractmethod
    def active(self) -> list[ActiveRun]:
        """Return all queued and running runs, in the order in which they were created.

        A released run keeps its position.
        """

    @abstractmethod
    def claim(self, run_id: str, owner: str, expected_token: int | None = None) -> RunRecord:
        """Make `owner` the owner: state RUNNING, fencing token and attempts incremented.

        Counts as a heartbeat.

        Args:
            run_id: The run.
            owner: The new owner.
            expected_token: Required fencing token, so that only one of several callers succeeds;
                None: any.

        Raises:
            NotFound: unknown or expired.
            Conflict: the run has ended, or has another token.
        """

    @abstractmethod
    def read(self, run_id: str) -> RunRecord:
        """Return the record.

        Raises:
            NotFound: unknown or expired.
        """

    @abstractmethod
    def all(self) -> Iterator[RunRecord]:
        """Yield every run, active or ended, in no particular order, without extending its expiry.

        Runs that exist throughout the iteration are included; unreadable ones are skipped.
        """

    @abstractmethod
    def heartbeat(self, run_id: str, fencing_token: int) -> LeaseStatus:
        """Renew the owner's lease and return its status; also extends the expiry of queued runs."""

    @abstractmethod
    def release(self, run_id: str, fencing_token: int, *, died: bool) -> bool:
        """Put a running run back into the queue, at its former position.

        The token is incremented, so that the former owner can no longer write.

        Args:
            run_id: The run.
            fencing_token: Its current token.
            died: Whether the owner died. If False, the owner released the run, which does not
                count as an attempt.

        Returns:
            False if the token is outdated, or the run is queued or has ended.
        """

    @abstractmethod
    def save_checkpoint(self, run_id: str, fencing_token: int, checkpoint_digest: str) -> None:
        """Record the artifact to resume the run from; resets the count of attempts.

        Raises:
            Conflict: the token is outdated or the run has ended; nothing was written.
        """

    @abstractmethod
    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        """Append a progress message and return its position.

        Raises:
            Conflict: the token is outdated or the run has ended; nothing was written.
        """

    @abstractmethod
    def finish(self, run: RunRecord, payload: bytes) -> None:
        """Write `run`, whose state is final, and its last message atomically.

        Owner, heartbeat, attempts and stop request keep their stored values; the checkpoint is
        removed.

        Raises:
            Conflict: ``run.fencing_token`` is outdated, or the run has ended.
        """

    @abstractmethod
    def cancel_queued(self, run: RunRecord, payload: bytes) -> bool:
        """End a run that has no owner, as `finish` does; return False if it is not QUEUED."""

    @abstractmethod
    def request_stop(self, run_id: str) -> bool:
        """Ask the owner to stop at the next boundary; return False if the run is not active."""

    @abstractmethod
    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        """Yield the entries after `after` ("": from the first), waiting up to `wait_s` for more.

        Ends without an error if no entry arrived within `wait_s`, so that the caller can check
        whether its client is still connected and whether the run has ended.
        """

    @abstractmethod
    def latest(self, run_id: str) -> ProgressEntry | None:
        """Return the newest entry, or None if the stream is empty."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the store answers; raise `DependencyDown` if it does not."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections; the store must not be used afterwards."""
