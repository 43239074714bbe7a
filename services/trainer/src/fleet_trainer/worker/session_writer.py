"""Writes the owner and the result of a run into the run's session."""

import time
from collections.abc import Callable

from fleet_platform.errors import Cancelled, Conflict, NotFound, OutOfOrder
from fleet_platform.retry import retry_while_unavailable
from fleet_proto.records.v1.records_pb2 import Pipeline, SessionRecord
from fleet_trainer.training.context import RunContext
from fleet_trainer.worker.progress import Superseded

SESSION_CLOSED = "Training cancelled; the session was closed"

LAUNCHED_WITHIN_S = 5.0
"""Time within which the call that created a run records it in the session."""

_PAUSE_S = 0.05


class LaunchAborted(Conflict):
    """The call that created the run broke off before it recorded the run in the session."""


class _NotRecorded(Exception):
    """The session does not know the run."""


class SessionWriter:
    """Writes into the session as the run's owner.

    The session keeps the owner's fencing token, so that an owner which has lost the run, perhaps
    while its host was suspended, changes nothing after the next owner has started.
    """

    def __init__(self, context: RunContext, launched_within_s: float = LAUNCHED_WITHIN_S) -> None:
        """Start without access to the stores.

        Args:
            context: The run.
            launched_within_s: Time within which the call that created the run records it.
        """
        self._run = context.run
        self._runs = context.runs
        self._sessions = context.sessions
        self._launched_within_s = launched_within_s

    def begin(self) -> None:
        """Record in the session that this owner executes the run.

        Raises:
            Superseded: the run has a newer owner.
            Cancelled: the session was closed.
            LaunchAborted: the session still does not know the run.
        """
        deadline_s = time.monotonic() + self._launched_within_s
        while True:
            try:
                return self._update(self._record_owner)
            except _NotRecorded as error:
                # The call that creates a run records it in the session immediately afterwards.
                if time.monotonic() > deadline_s:
                    raise LaunchAborted(
                        "The call that requested this training broke off. Call Train again."
                    ) from error
            time.sleep(_PAUSE_S)

    def publish(self, result: Pipeline) -> None:
        """Make `result` the session's pipeline, before the run is reported as ended.

        Raises:
            Superseded: the run has another owner by now.
            Cancelled: the session was closed.
            OutOfOrder: the session's pipeline was replaced in the meantime.
        """
        run = self._run
        if not retry_while_unavailable(lambda: self._runs.heartbeat(run.run_id, run.fencing_token)):
            raise Superseded
        # An owner that died after publishing and before finishing has left its result there.
        expected = {run.pipeline.config_digest, result.config_digest}

        def change(session: SessionRecord) -> None:
            owned = (run.run_id, run.fencing_token)
            if (session.run_id, session.run_fencing_token) != owned:
                raise Superseded
            if session.pipeline.config_digest not in expected:
                raise OutOfOrder(
                    "The session's pipeline was replaced while the previous one was being trained,"
                    " so the trained weights do not fit. Call Train again to train the new one."
                )
            session.pipeline.CopyFrom(result)
            session.data_config_json = run.data_config_json
            if run.training_config_json:
                session.training_config_json = run.training_config_json

        self._update(change)

    def _record_owner(self, session: SessionRecord) -> None:
        if session.run_id != self._run.run_id:
            raise _NotRecorded
        if session.run_fencing_token > self._run.fencing_token:
            raise Superseded
        session.run_fencing_token = self._run.fencing_token

    def _update(self, change: Callable[[SessionRecord], None]) -> None:
        try:
            retry_while_unavailable(lambda: self._sessions.update(self._run.session_id, change))
        except NotFound as error:
            raise Cancelled(SESSION_CLOSED) from error
