"""The progress messages of a run, as written by its owner."""

import contextvars
import time
from collections.abc import Callable

from fleet_platform.errors import Conflict
from fleet_platform.retry import retry_while_unavailable
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.training.context import RunContext

_MIN_PAUSE_S = 0.1


class Superseded(Exception):
    """The run has another owner or has ended; the rest of the work is void."""


class Progress:
    """Writes the messages of one run."""

    def __init__(self, context: RunContext, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = context.run
        self._runs = context.runs
        self._clock = clock
        self._last_s = float("-inf")

    def send(self, message: TrainResponse) -> None:
        """Write a message that every client receives.

        Raises:
            Superseded: the run has another owner by now.
            DependencyDown: the store did not answer for half a minute.
        """
        payload = message.SerializeToString()
        try:
            retry_while_unavailable(lambda: self._append(payload))
        except Conflict as error:
            raise Superseded from error
        self._last_s = self._clock()

    def send_if_due(self, message: TrainResponse) -> None:
        """Write a message, unless the previous one is less than 100 ms old; raises as `send`."""
        if self._clock() - self._last_s >= _MIN_PAUSE_S:
            self.send(message)

    def finish(self, ended: RunRecord, message: TrainResponse) -> None:
        """Write the last message together with the run's final record; raises as `send`."""
        try:
            retry_while_unavailable(lambda: self._runs.finish(ended, message.SerializeToString()))
        except Conflict as error:
            raise Superseded from error

    def _append(self, payload: bytes) -> None:
        # Outside any span: one for each message would flood the trace of the run.
        untraced = contextvars.Context()
        untraced.run(self._runs.append, self._run.run_id, self._run.fencing_token, payload)
