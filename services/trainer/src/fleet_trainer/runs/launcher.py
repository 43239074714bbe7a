"""Launches a run exactly once, even if Train calls are retried."""

import time
from dataclasses import dataclass

from fleet_platform.errors import AppError, Conflict, DependencyDown, Exhausted, OutOfOrder
from fleet_platform.runs import RunStore, is_active
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import current_traceparent, logger
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainerType
from fleet_proto.records.v1.records_pb2 import RUN_STATE_QUEUED, RunRecord, SessionRecord
from fleet_proto.training_key import new_key
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.key import run_id_of
from fleet_trainer.runs.queue import RunQueue

_log = logger("fleet.trainer")

_FORMAT_VERSION = 1

_NOT_STARTED = messages.cancelled(
    "Training cancelled before it started, as StopTrain was called; the pipeline is unchanged"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLauncher:
    """Creates a run, records it in its session and admits it to the queue.

    A call may be interrupted between any two of these steps; the next call continues from there.
    """

    sessions: SessionStore
    """Where each session's newest run is recorded."""

    runs: RunStore
    """Where runs are stored."""

    queue: RunQueue
    """Starts runs, now or later."""

    def launch(
        self,
        session: SessionRecord,
        trainer_type: TrainerType.ValueType,
        key: str = "",
        *,
        data_config_json: bytes,
        training_config_json: bytes,
    ) -> RunRecord:
        """Launch a run of the session's pipeline, or return the one that exists already.

        If StopTrain was called in the meantime, the run is cancelled before it starts. A run that
        another call launched only partially is launched completely.

        Args:
            session: The session as read for this call.
            trainer_type: Kind of training.
            key: The name that the client gave the training; empty: it gave none.
            data_config_json: Data to train on.
            training_config_json: Training settings; may be empty.

        Raises:
            OutOfOrder: the existing run has another type.
            Conflict: the pipeline was replaced concurrently.
            Exhausted: all trainers are busy and the queue is full.
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
        run = attachable(self.runs.create(wanted), trainer_type)
        if not is_active(run):
            return run
        try:
            if self._record_in_session(run, session):
                self.runs.cancel_queued(outcomes.cancelled(run), _NOT_STARTED.SerializeToString())
                return run
            if run.run_id == wanted.run_id:
                self.queue.admit(run.run_id)
        except DependencyDown:
            raise  # the next call continues from here
        except Exhausted as error:
            if self._reject(run, error):
                raise  # otherwise another trainer had a free slot
        except AppError as error:
            if not self._reject(run, error):
                self.runs.request_stop(run.run_id)
            raise
        _log.info("run.requested", run_id=run.run_id, session_id=run.session_id)
        return run

    def _record_in_session(self, run: RunRecord, seen: SessionRecord) -> bool:
        """Record `run` as the session's newest run; return whether the client asked to stop it.

        Args:
            run: Created after `seen` was read.
            seen: The session as read before.
        """
        stops = False

        def change(session: SessionRecord) -> None:
            nonlocal stops
            is_later = session.run_id not in {run.run_id, seen.run_id}
            if is_later and not is_active(self.runs.read(run.run_id)):
                return  # it has ended already, and the session may have a newer one
            if session.pipeline.config_digest != run.pipeline.config_digest:
                raise Conflict(
                    "The session's pipeline was replaced concurrently. Call Train again."
                )
            if session.run_id != run.run_id:
                session.run_id = run.run_id
                session.ClearField("run_fencing_token")
            # This function may run again on its own result, where the request is cleared.
            stops = stops or session.stop_requested
            session.stop_requested = False

        self.sessions.update(run.session_id, change)
        return stops

    def _reject(self, run: RunRecord, error: AppError) -> bool:
        """End a run that cannot be launched; return False if a trainer has claimed it already."""
        message = messages.failed(error.text).SerializeToString()
        return self.runs.cancel_queued(outcomes.rejected(run, error), message)


def attachable(run: RunRecord, trainer_type: TrainerType.ValueType) -> RunRecord:
    """Return `run` if a call for `trainer_type` may follow it.

    Raises:
        OutOfOrder: the run has another type.
    """
    if run.trainer_type == trainer_type:
        return run
    names: dict[int, str] = {number: name for name, number in TrainerType.items()}
    current, wanted = names[run.trainer_type], names[trainer_type]
    if is_active(run):
        raise OutOfOrder(
            f"Another training run ({current}) is active in this session. Call Train with that "
            f"type to follow it, and with {wanted} after it has ended."
        )
    raise OutOfOrder(
        f"The training run with this key was {current}. Call Train with that type to follow it, or "
        f"use another key to run {wanted}."
    )
