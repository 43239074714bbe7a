"""What a run writes into its session."""

import time
from collections.abc import Callable

from fleet_platform.errors import Cancelled, Conflict, NotFound, OutOfOrder
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord, SessionRecord
from fleet_trainer.runs.store_calls import patiently
from fleet_trainer.worker.progress import Superseded

SESSION_CLOSED = "Training cancelled; the session was closed"

_NOTED_WITHIN_S = 5.0
_PAUSE_S = 0.05


class NeverNoted(Conflict):
    """The call that made the run broke off before the session knew of it."""


class _NotNoted(Exception):
    """The session does not know the run."""


class SessionWriter:
    """Writes as the run's owner: the session itself keeps the owner's token.

    So an owner that lost the run, and may have slept since, changes nothing in the session once
    another has begun.
    """

    def __init__(self, run: RunRecord, *, runs: RunStore, sessions: SessionStore) -> None:
        self._run = run
        self._runs = runs
        self._sessions = sessions

    def begin(self) -> None:
        """Note in the session that this owner works on the run.

        Raises:
            Superseded: a newer owner does.
            Cancelled: the session was closed.
            NeverNoted: the session does not come to know of the run.
        """
        deadline_s = time.monotonic() + _NOTED_WITHIN_S
        while True:
            try:
                return self._update(self._note_owner)
            except _NotNoted as error:
                # The call that makes a run tells the session right afterwards.
                if time.monotonic() > deadline_s:
                    raise NeverNoted(
                        "The call that asked for this training broke off. Call Train again."
                    ) from error
            time.sleep(_PAUSE_S)

    def publish(self, result: Pipeline) -> None:
        """Make `result` the session's pipeline, before the run is told to be over.

        Raises:
            Superseded: the run is not this owner's any more.
            Cancelled: the session was closed.
            OutOfOrder: the session's pipeline was replaced meanwhile.
        """
        run = self._run
        if not patiently(lambda: self._runs.heartbeat(run.run_id, run.fencing_token)):
            raise Superseded
        # An owner that died between publishing and telling has left its result there.
        expected = {run.pipeline.config_digest, result.config_digest}

        def change(session: SessionRecord) -> None:
            owned = (run.run_id, run.fencing_token)
            if (session.run_id, session.run_fencing_token) != owned:
                raise Superseded
            if session.pipeline.config_digest not in expected:
                raise OutOfOrder(
                    "The session's pipeline was replaced while the former one was trained, so the"
                    " trained weights fit nothing. Call Train again to train the present one."
                )
            session.pipeline.CopyFrom(result)
            session.data_config_json = run.data_config_json
            if run.training_config_json:
                session.training_config_json = run.training_config_json

        self._update(change)

    def _note_owner(self, session: SessionRecord) -> None:
        if session.run_id != self._run.run_id:
            raise _NotNoted
        if session.run_fencing_token > self._run.fencing_token:
            raise Superseded
        session.run_fencing_token = self._run.fencing_token

    def _update(self, change: Callable[[SessionRecord], None]) -> None:
        try:
            patiently(lambda: self._sessions.update(self._run.session_id, change))
        except NotFound as error:
            raise Cancelled(SESSION_CLOSED) from error
