"""The training runs of sessions: attached to, followed, stopped."""

import threading
from collections.abc import Callable, Iterator

from fleet_platform.errors import DependencyDown, NotFound
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_QUEUED,
    RUN_STATE_REJECTED,
    RunRecord,
    SessionRecord,
)
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.failure import error_of
from fleet_trainer.runs.key import TrainingName, run_id_of
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.runs.untraced import untraced

_TAIL_WAIT_S = 1.0
"""How soon it is noticed that a client has left, while nothing is told."""

_QUEUE_WAIT_S = 0.25
"""How soon it is noticed that a run has come nearer to its turn."""


class TrainingRuns:
    """Runs as the calls of any replica see them: through the stores alone."""

    def __init__(self, *, sessions: SessionStore, runs: RunStore, queue: RunQueue) -> None:
        """Take the parts.

        Args:
            sessions: Where the newest run of each session is noted.
            runs: Where runs live.
            queue: Knows which run is next.
        """
        self._sessions = sessions
        self._runs = runs
        self._queue = queue
        self._ending = threading.Event()

    def end_streams(self) -> None:
        """Have all who follow a run, now or later, follow it at another replica."""
        self._ending.set()

    def newest(self, session: SessionRecord) -> RunRecord | None:
        """The session's newest run, if it trained and that is not long ago."""
        return self._find(session.run_id) if session.run_id else None

    def active(self, session: SessionRecord) -> RunRecord | None:
        """The session's run that waits or is worked on."""
        run = self.newest(session)
        return run if run is not None and run_endings.is_active(run) else None

    def meant(self, session: SessionRecord, name: TrainingName) -> RunRecord | None:
        """The run that a call is to follow: that of its key, else the active one.

        Returns:
            The run; None: one is to be started.

        Raises:
            NotFound: it was begun, as the call says, and is not known any more.
        """
        run = self._named(session, name.key) if name.key else None
        if name.begun and not name.key:
            run = self.newest(session)
        if name.begun and run is None:
            raise NotFound(
                "This training is not known any more, or never was: what has ended is kept for a"
                " day. Call Train without the metadata x-fleet-training-begun to train."
            )
        return run or self.active(session)

    def follow(self, run_id: str, is_wanted: Callable[[], bool]) -> Iterator[TrainResponse]:
        """Yield the messages of a run from its first to its last.

        Args:
            run_id: The run; it goes on whether or not anybody follows it.
            is_wanted: Whether the client is still there; asked at least every second.

        Raises:
            AppError: the run failed; its last message was yielded before.
            DependencyDown: this replica ends.
        """
        position, ahead = "", None
        while is_wanted():
            self._refuse_when_ending()
            run = untraced(lambda: self._runs.read(run_id))
            waits = run.state == RUN_STATE_QUEUED
            wait_s = _QUEUE_WAIT_S if waits else _TAIL_WAIT_S
            for entry in self._runs.tail(run_id, position, wait_s=wait_s):
                position, waits = entry.position, False
                message = TrainResponse.FromString(entry.payload)
                yield message
                if train_messages.is_terminal(message):
                    self._raise_failure(run_id)
                    return
                if not is_wanted():
                    return
                self._refuse_when_ending()
            if not run_endings.is_active(run):
                return
            before, ahead = ahead, untraced(lambda: self._queue.ahead_of(run_id)) if waits else None
            if ahead is not None and ahead != before:
                yield train_messages.waiting(ahead, interrupted=position != "")

    def latest(self, session: SessionRecord) -> TrainResponse:
        """Where the session's newest run stands: its newest message, or that it waits."""
        run = self.newest(session)
        if run is None:
            return train_messages.no_activity()
        entry = self._runs.latest(run.run_id)
        ahead = self._queue.ahead_of(run.run_id) if run.state == RUN_STATE_QUEUED else None
        if ahead is not None:
            return train_messages.waiting(ahead, interrupted=entry is not None)
        if entry is None:
            return train_messages.beginning()
        return TrainResponse.FromString(entry.payload)

    def stop(self, session: SessionRecord) -> str:
        """Stop the session's active run: at once if it waits, else at its next batch or node.

        Where none is active, the next one is cancelled, unless a trainrun is applied before: a
        client that trains in several phases may stop between two of them.

        Returns:
            What will happen, for people.
        """
        run = self.active(session)
        if run is None:
            return self._stop_next(session)
        if run.state == RUN_STATE_QUEUED and not run.checkpoint_digest:
            text = "Training cancelled while it waited; the pipeline is as it was"
            message = train_messages.cancelled(text).SerializeToString()
            if self._runs.cancel_queued(run_endings.cancelled(run), message):
                return "The training was waiting and is cancelled."
        if self._runs.request_stop(run.run_id):
            return "The training stops at its next batch or node; Train tells when it has."
        return self._stop_next(session)

    def _stop_next(self, session: SessionRecord) -> str:
        self._sessions.update(session.session_id, _request_stop)
        return (
            "No training runs in this session. The next one is cancelled before it begins, unless"
            " SetTrainRunConfig or RestoreTrainRun is called first."
        )

    def _refuse_when_ending(self) -> None:
        if self._ending.is_set():
            raise DependencyDown(
                "This trainer is being replaced; the training goes on. Call Train again to follow"
                " it from its first message."
            )

    def _find(self, run_id: str) -> RunRecord | None:
        try:
            return self._runs.read(run_id)
        except NotFound:
            return None

    def _named(self, session: SessionRecord, key: str) -> RunRecord | None:
        """The run of a key, unless it has yet to be begun."""
        run = self._find(run_id_of(session.session_id, key))
        if run is None or run.state == RUN_STATE_REJECTED:
            return None
        half_begun = run_endings.is_active(run) and session.run_id != run.run_id
        return None if half_begun else run

    def _raise_failure(self, run_id: str) -> None:
        run = self._runs.read(run_id)
        if run.error_reason:
            raise error_of(run)


def _request_stop(session: SessionRecord) -> None:
    session.stop_requested = True
