"""How a run begins: once, whatever becomes of the calls that ask for it."""

import time

from fleet_platform.errors import AppError, Conflict, DependencyDown, Exhausted, OutOfOrder
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import current_traceparent, logger
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainerType
from fleet_proto.records.v1.records_pb2 import RUN_STATE_QUEUED, RunRecord, SessionRecord
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.key import new_key, run_id_of
from fleet_trainer.runs.queue import RunQueue

_log = logger("fleet.trainer")

_FORMAT_VERSION = 1

_NOT_BEGUN = train_messages.cancelled(
    "Training cancelled before it began, as StopTrain was called; the pipeline is as it was"
)


class RunBeginning:
    """Makes a run, notes it in its session and has it worked on.

    A call may break off between any two of these steps; the next call goes on from there.
    """

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

    def begin(
        self,
        session: SessionRecord,
        trainer_type: TrainerType.ValueType,
        key: str = "",
        *,
        data_config_json: bytes,
        training_config_json: bytes,
    ) -> RunRecord:
        """Begin a run of the session's pipeline, or return the one that is there already.

        Where StopTrain was called meanwhile, the run is cancelled before it begins. What another
        call has left half begun is begun.

        Args:
            session: As it was read for this call.
            trainer_type: Kind of training.
            key: What the client names it by; empty: it has no name of the client's.
            data_config_json: Data to train on.
            training_config_json: Training settings; empty: none.

        Raises:
            OutOfOrder: a run of another type is there.
            Conflict: the pipeline was replaced in the same moment.
            Exhausted: no trainer has room for it.
        """
        key = key or new_key()
        wanted = RunRecord(
            format_version=_FORMAT_VERSION,
            run_id=run_id_of(session.session_id, key),
            key=key,
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
        run = attachable(self._runs.create(wanted), trainer_type)
        if not run_endings.is_active(run):
            return run
        try:
            if self._note(run, session):
                self._runs.cancel_queued(run_endings.cancelled(run), _NOT_BEGUN.SerializeToString())
                return run
            if run.run_id == wanted.run_id:
                self._queue.admit(run.run_id)
        except DependencyDown:
            raise  # whoever calls next goes on from here
        except Exhausted as error:
            if self._refuse(run, error):
                raise  # else another trainer had room for it
        except AppError as error:
            if not self._refuse(run, error):
                self._runs.request_stop(run.run_id)
            raise
        _log.info("run.requested", run_id=run.run_id, session_id=run.session_id)
        return run

    def _note(self, run: RunRecord, seen: SessionRecord) -> bool:
        """Have the session know its newest run; returns whether the client asked to stop it.

        Args:
            run: It was made after `seen`.
            seen: The session as it was read before.
        """
        stops = False

        def change(session: SessionRecord) -> None:
            nonlocal stops
            is_later = session.run_id not in {run.run_id, seen.run_id}
            if is_later and not run_endings.is_active(self._runs.read(run.run_id)):
                return  # it ended before this call came to note it, and a newer one may be noted
            if session.pipeline.config_digest != run.pipeline.config_digest:
                raise Conflict(
                    "The session's pipeline was replaced in this moment. Call Train again."
                )
            if session.run_id != run.run_id:
                session.run_id = run.run_id
                session.ClearField("run_fencing_token")
            # The change may run on its own result, which has the request no longer.
            stops = stops or session.stop_requested
            session.stop_requested = False

        self._sessions.update(run.session_id, change)
        return stops

    def _refuse(self, run: RunRecord, error: AppError) -> bool:
        """End a run that cannot be begun; False: a trainer has taken it up."""
        message = train_messages.failed(error.text).SerializeToString()
        return self._runs.cancel_queued(run_endings.rejected(run, error), message)


def attachable(run: RunRecord, trainer_type: TrainerType.ValueType) -> RunRecord:
    """Return a run that a call for `trainer_type` may follow.

    Raises:
        OutOfOrder: it is of another type.
    """
    if run.trainer_type == trainer_type:
        return run
    names: dict[int, str] = {number: name for name, number in TrainerType.items()}
    its, wanted = names[run.trainer_type], names[trainer_type]
    if run_endings.is_active(run):
        raise OutOfOrder(
            f"Another training ({its}) runs in this session. Call Train with that type to follow"
            f" it, and {wanted} when it has ended."
        )
    raise OutOfOrder(
        f"The training that is meant was {its}. Call Train with that type to be told of it, and"
        f" with another key to train as {wanted}."
    )
