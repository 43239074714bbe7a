"""The signs of life of a run while it is worked on."""

import threading
from types import TracebackType
from typing import Self

from fleet_platform.errors import DependencyDown
from fleet_platform.runs import LeaseStatus, RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import current_trace_id, logger
from fleet_proto.records.v1.records_pb2 import RunRecord

_log = logger("fleet.trainer")


class Heartbeat:
    """Tells the run store that the run's owner lives, and keeps the run's session from expiring.

    The answers tell whether to go on; they are kept, so that asking costs nothing. A
    context manager; beats at once and then at its interval on a thread of its own. While a store
    is down it goes on trying.
    """

    def __init__(
        self, run: RunRecord, *, runs: RunStore, sessions: SessionStore, every_s: float
    ) -> None:
        self._run_id = run.run_id
        self._fencing_token = run.fencing_token
        self._session_id = run.session_id
        self._runs = runs
        self._sessions = sessions
        self._every_s = every_s
        self._trace_id = current_trace_id()
        self._ended = threading.Event()
        self._superseded = threading.Event()
        self._session_gone = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="trainer-heartbeat", daemon=True)

    @property
    def is_superseded(self) -> bool:
        """Whether somebody else holds the run now or has ended it."""
        return self._superseded.is_set()

    @property
    def is_session_gone(self) -> bool:
        """Whether the session was closed."""
        return self._session_gone.is_set()

    def should_stop(self) -> bool:
        """Whether nobody can use the run's result any more, or it is to stop."""
        return self.is_superseded or self.is_session_gone or self._stopping.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat_on(self) -> None:
        while True:
            try:
                self._beat()
            except DependencyDown as error:
                _log.warning(
                    "heartbeat.failed",
                    run_id=self._run_id,
                    trace_id=self._trace_id,
                    error=error.text,
                )
            if self._ended.wait(self._every_s):
                return

    def _beat(self) -> None:
        status = self._runs.heartbeat(self._run_id, self._fencing_token)
        if status is LeaseStatus.STOPPING:
            self._stopping.set()
        if status is LeaseStatus.LOST and not self._ended.is_set():
            self._superseded.set()
        if not self._sessions.touch(self._session_id):
            self._session_gone.set()
