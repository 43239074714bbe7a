"""The training runs of sessions: found, followed and stopped."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from fleet_platform.errors import DependencyDown, NotFound
from fleet_platform.runs import RunStore, is_active
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_QUEUED,
    RUN_STATE_REJECTED,
    RunRecord,
    SessionRecord,
)
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.key import TrainingKey, run_id_of
from fleet_trainer.runs.queue import RunQueue

_Result = TypeVar("_Result")

_TAIL_WAIT_S = 1.0
"""Maximum time until a client's departure is noticed while there are no new messages."""

_QUEUE_WAIT_S = 0.25
"""Maximum time until a change of a run's place in the queue is noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRuns:
    """Runs as the calls of any replica see them: only through the stores."""

    sessions: SessionStore
    """Where each session's newest run is recorded."""

    runs: RunStore
    """Where runs are stored."""

    queue: RunQueue
    """Knows the order of waiting runs."""

    _draining: threading.Event = field(default_factory=threading.Event, init=False)

    def end_streams(self) -> None:
        """Make current and future followers continue at another replica."""
        self._draining.set()

    def newest(self, session: SessionRecord) -> RunRecord | None:
        """Return the session's newest run; None if it has none, or it has expired."""
        return self._find(session.run_id) if session.run_id else None

    def active(self, session: SessionRecord) -> RunRecord | None:
        """Return the session's run that is queued or running."""
        run = self.newest(session)
        return run if run is not None and is_active(run) else None

    def resolve(self, session: SessionRecord, key: TrainingKey) -> RunRecord | None:
        """Return the run that a call must follow: the one with its key, else the active one.

        Returns:
            The run; None if one has to be launched.

        Raises:
            NotFound: the call says that it exists, but it does not, or has expired.
        """
        run = self._with_key(session, key.key) if key.key else None
        if key.follow_only and not key.key:
            run = self.newest(session)
        if key.follow_only and run is None:
            raise NotFound(
                "This training run is unknown or has expired: a run is kept for a day after its"
                " end. To train again, call Train without the metadata x-fleet-training-begun."
            )
        return run or self.active(session)

    def follow(self, run_id: str, is_wanted: Callable[[], bool]) -> Iterator[TrainResponse]:
        """Yield the messages of a run from its first to its last.

        Args:
            run_id: The run, which continues with or without followers.
            is_wanted: Returns whether the client is still connected; called at least every second.

        Raises:
            AppError: the run failed; its last message was yielded before.
            DependencyDown: this replica stops.
        """
        position, ahead = "", None
        while is_wanted():
            self._check_draining()
            run = _untraced(self.runs.read, run_id)
            waits = run.state == RUN_STATE_QUEUED
            wait_s = _QUEUE_WAIT_S if waits else _TAIL_WAIT_S
            for entry in self.runs.tail(run_id, position, wait_s=wait_s):
                position, waits = entry.position, False
                message = TrainResponse.FromString(entry.payload)
                yield message
                if messages.is_terminal(message):
                    self._raise_failure(run_id)
                    return
                if not is_wanted():
                    return
                self._check_draining()
            if not is_active(run):
                return
            before, ahead = ahead, _untraced(self.queue.ahead_of, run_id) if waits else None
            if ahead is not None and ahead != before:
                yield messages.waiting(ahead, interrupted=position != "")

    def latest(self, session: SessionRecord) -> TrainResponse:
        """Return the newest message of the session's newest run, or that the run waits."""
        run = self.newest(session)
        if run is None:
            return messages.no_activity()
        entry = self.runs.latest(run.run_id)
        ahead = self.queue.ahead_of(run.run_id) if run.state == RUN_STATE_QUEUED else None
        if ahead is not None:
            return messages.waiting(ahead, interrupted=entry is not None)
        if entry is None:
            return messages.starting()
        return TrainResponse.FromString(entry.payload)

    def stop(self, session: SessionRecord) -> str:
        """Stop the session's active run: at once if it waits, else at its next batch or node.

        If no run is active, the next one is cancelled unless a trainrun is applied before it: a
        client that trains in several phases may stop between two of them.

        Returns:
            What will happen, as a sentence for people.
        """
        run = self.active(session)
        if run is None:
            return self._stop_next(session)
        if run.state == RUN_STATE_QUEUED and not run.checkpoint_digest:
            text = "Training cancelled while it waited; the pipeline is unchanged"
            message = messages.cancelled(text).SerializeToString()
            if self.runs.cancel_queued(outcomes.cancelled(run), message):
                return "The training was waiting and is cancelled."
        if self.runs.request_stop(run.run_id):
            return "The training stops at its next batch or node; the Train stream ends then."
        return self._stop_next(session)

    def _stop_next(self, session: SessionRecord) -> str:
        self.sessions.update(session.session_id, _request_stop)
        return (
            "No training runs in this session. The next one is cancelled before it starts, unless"
            " SetTrainRunConfig or RestoreTrainRun is called first."
        )

    def _check_draining(self) -> None:
        if self._draining.is_set():
            raise DependencyDown(
                "This trainer is being replaced; the training continues. Call Train again to follow"
                " it from its first message."
            )

    def _find(self, run_id: str) -> RunRecord | None:
        try:
            return self.runs.read(run_id)
        except NotFound:
            return None

    def _with_key(self, session: SessionRecord, key: str) -> RunRecord | None:
        """Return the run with this key, unless it has yet to be launched."""
        run = self._find(run_id_of(session.session_id, key))
        if run is None or run.state == RUN_STATE_REJECTED:
            return None
        half_launched = is_active(run) and session.run_id != run.run_id
        return None if half_launched else run

    def _raise_failure(self, run_id: str) -> None:
        run = self.runs.read(run_id)
        if run.error_reason:
            raise outcomes.error_of(run)


def _untraced(function: Callable[[str], _Result], run_id: str) -> _Result:
    """Call a function outside any span; calls that repeat all the time would flood the trace."""
    return contextvars.Context().run(function, run_id)


def _request_stop(session: SessionRecord) -> None:
    session.stop_requested = True
