"""The lease of a run, which its owner renews while it executes the run."""

import threading
from types import TracebackType
from typing import Self

from fleet_platform.errors import DependencyDown
from fleet_platform.runs import LeaseStatus
from fleet_platform.telemetry import current_trace_id, logger
from fleet_trainer.training.context import RunContext

_log = logger("fleet.trainer")


class Lease:
    """Renews the lease of a run, and keeps the run's session from expiring.

    The answers of the stores decide whether the owner may continue; they are cached, so that asking
    costs nothing. A context manager: renews at once and then at its interval, on its own thread.
    While a store is down it keeps trying.
    """

    def __init__(self, context: RunContext) -> None:
        self._run_id = context.run.run_id
        self._fencing_token = context.run.fencing_token
        self._session_id = context.run.session_id
        self._runs = context.runs
        self._sessions = context.sessions
        self._interval_s = context.settings.heartbeat_s
        self._trace_id = current_trace_id()
        self._ended = threading.Event()
        self._superseded = threading.Event()
        self._session_closed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._keep_renewing, name="trainer-lease", daemon=True
        )

    @property
    def is_superseded(self) -> bool:
        """Whether the run has another owner by now, or has ended."""
        return self._superseded.is_set()

    @property
    def is_session_closed(self) -> bool:
        """Whether the session was closed."""
        return self._session_closed.is_set()

    def should_stop(self) -> bool:
        """Return whether the run must stop, because of a request or as its result is useless."""
        return self.is_superseded or self.is_session_closed or self._stopping.is_set()

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

    def _keep_renewing(self) -> None:
        while True:
            try:
                self._renew()
            except DependencyDown as error:
                _log.warning(
                    "heartbeat.failed",
                    run_id=self._run_id,
                    trace_id=self._trace_id,
                    error=error.text,
                )
            if self._ended.wait(self._interval_s):
                return

    def _renew(self) -> None:
        status = self._runs.heartbeat(self._run_id, self._fencing_token)
        if status is LeaseStatus.STOPPING:
            self._stopping.set()
        if status is LeaseStatus.LOST and not self._ended.is_set():
            self._superseded.set()
        if not self._sessions.touch(self._session_id):
            self._session_closed.set()
