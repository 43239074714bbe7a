"""The contract of a run store: training runs and the stream of their progress."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

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
    answer. A run and its stream are forgotten a day after the last write; every method but `tail`,
    `latest`, `heartbeat` and `request_stop` then raises `NotFound`. A stream keeps about its
    newest 50 000 entries.
    """

    def create(self, run: RunRecord) -> RunRecord:
        """Make `run` the session's active run, or return the one that is active already.

        A run is active while its state is QUEUED or RUNNING. Atomic per session: of two callers one
        creates, the other gets the first one's record (compare ``run_id`` to see which). A new run
        is QUEUED and has no owner, whatever `run` says; ``created_ms`` is filled in where unset.
        """

    def claim(self, run_id: str, owner: str) -> RunRecord:
        """Take the run: owner set, state RUNNING, fencing token one higher than before.

        Counts as a heartbeat.

        Raises:
            NotFound: unknown or expired.
            Conflict: the run ended already.
        """

    def read(self, run_id: str) -> RunRecord:
        """Return the record.

        Raises:
            NotFound: unknown or expired.
        """

    def heartbeat(self, run_id: str, fencing_token: int) -> bool:
        """Say that the owner lives.

        Returns:
            False when a newer owner holds the run or it ended: the caller must stop.
        """

    def append(self, run_id: str, fencing_token: int, payload: bytes) -> str:
        """Add a progress message; returns its position.

        Raises:
            Conflict: the token is not the newest, or the run ended: nothing was written.
        """

    def finish(self, run: RunRecord, payload: bytes) -> None:
        """Write `run`, whose state is terminal, and its last message in one step.

        Owner, heartbeat and stop request stay as they are stored.

        Raises:
            Conflict: ``run.fencing_token`` is not the newest, or the run ended already.
        """

    def request_stop(self, run_id: str) -> bool:
        """Ask the owner to stop at the next boundary; False when the run is not active."""

    def tail(self, run_id: str, after: str = "", wait_s: float = 1.0) -> Iterator[ProgressEntry]:
        """Yield the entries after `after` ("" = from the first), waiting up to `wait_s` for news.

        Ends, without an error, when nothing came for `wait_s`, so that the caller can look whether
        its client is still there and whether the run ended.
        """

    def latest(self, run_id: str) -> ProgressEntry | None:
        """The newest entry, or None while there is none."""
