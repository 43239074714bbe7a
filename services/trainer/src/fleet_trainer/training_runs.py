"""The training runs of sessions: begun, attached to, followed."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator

from fleet_platform.errors import AppError, Conflict, DependencyDown, NotFound, OutOfOrder
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import current_traceparent, logger
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainerType, TrainResponse
from fleet_proto.records.v1.records_pb2 import RUN_STATE_QUEUED, RunRecord, SessionRecord
from fleet_trainer import run_endings, train_messages
from fleet_trainer.run_failure import error_of
from fleet_trainer.run_queue import RunQueue
from fleet_trainer.untraced import untraced

_log = logger("fleet.trainer")

_FORMAT_VERSION = 1
_TAIL_WAIT_S = 1.0
"""How soon it is noticed that a client has left, while nothing is told."""

_QUEUE_WAIT_S = 0.25
"""How soon it is noticed that a run has come nearer to its turn."""


_NOT_BEGUN = train_messages.cancelled(
    "Training cancelled before it began, as StopTrain was called; the pipeline is as it was"
)


class TrainingRuns:
    """Runs as the calls of any replica see them: through the stores alone."""

    def __init__(self, *, sessions: SessionStore, runs: RunStore, queue: RunQueue) -> None:
        """Take the parts.

        Args:
            sessions: Where the newest run of each session is noted.
            runs: Where runs live.
            queue: Has runs worked on.
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
        if not session.run_id:
            return None
        try:
            return self._runs.read(session.run_id)
        except NotFound:
            return None

    def active(self, session: SessionRecord) -> RunRecord | None:
        """The session's run that waits or is worked on."""
        run = self.newest(session)
        return run if run is not None and run_endings.is_active(run) else None

    def start(
        self,
        session: SessionRecord,
        trainer_type: TrainerType.ValueType,
        *,
        data_config_json: bytes,
        training_config_json: bytes,
    ) -> RunRecord:
        """Begin a run of the session's pipeline, or return the one that is active already.

        Where `stop` was called meanwhile, the run is cancelled before it begins.

        Raises:
            OutOfOrder: a run of another type is active.
            Conflict: the pipeline was replaced in the same moment.
            Exhausted: no trainer has room for it.
        """
        wanted = RunRecord(
            format_version=_FORMAT_VERSION,
            run_id=str(uuid.uuid4()),
            session_id=session.session_id,
            trainer_type=trainer_type,
            state=RUN_STATE_QUEUED,
            created_ms=time.time_ns() // 1_000_000,
            pipeline=session.pipeline,
            data_config_json=data_config_json,
            training_config_json=training_config_json,
            trainrun_config_json=session.trainrun_config_json,
            traceparent=current_traceparent(),
        )
        run = self._runs.create(wanted)
        if run.run_id != wanted.run_id:
            return attachable(run, trainer_type)
        try:
            self._sessions.update(session.session_id, lambda record: _note(record, wanted))
            if session.stop_requested:
                self._runs.withdraw(run_endings.cancelled(run), _NOT_BEGUN.SerializeToString())
                return run
            self._queue.admit(run.run_id)
        except AppError as error:
            self._drop(run, error)
            raise
        _log.info("run.requested", run_id=run.run_id, session_id=run.session_id)
        return run

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
            if self._runs.withdraw(run_endings.cancelled(run), message):
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

    def _drop(self, run: RunRecord, error: AppError) -> None:
        """End a run that could not be begun; if a trainer was faster, have it stopped."""
        message = train_messages.failed(error.text).SerializeToString()
        try:
            if not self._runs.withdraw(run_endings.failed(run, error), message):
                self._runs.request_stop(run.run_id)
        except DependencyDown as down:
            _log.warning("run.not_dropped", run_id=run.run_id, error=down.text)

    def _raise_failure(self, run_id: str) -> None:
        run = self._runs.read(run_id)
        if run.error_reason:
            raise error_of(run)


def attachable(run: RunRecord, trainer_type: TrainerType.ValueType) -> RunRecord:
    """Return an active run that a call for `trainer_type` may follow.

    Raises:
        OutOfOrder: it is of another type.
    """
    if run.trainer_type != trainer_type:
        names: dict[int, str] = {number: name for name, number in TrainerType.items()}
        raise OutOfOrder(
            f"Another training ({names[run.trainer_type]}) runs in this session. Call Train with"
            f" that type to follow it, and {names[trainer_type]} when it has ended."
        )
    return run


def _note(session: SessionRecord, run: RunRecord) -> None:
    if session.pipeline.config_digest != run.pipeline.config_digest:
        raise Conflict("The session's pipeline was replaced in this moment. Call Train again.")
    if session.run_id != run.run_id:
        session.run_id = run.run_id
        session.ClearField("run_fencing_token")
    session.stop_requested = False


def _request_stop(session: SessionRecord) -> None:
    session.stop_requested = True
