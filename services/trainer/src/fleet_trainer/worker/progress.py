"""What a run tells while it is worked on."""

import time
from collections.abc import Callable

from fleet_platform.errors import Conflict
from fleet_platform.runs import RunStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.runs.store_calls import patiently
from fleet_trainer.runs.untraced import untraced

_LEAST_PAUSE_S = 0.1


class Superseded(Exception):
    """Somebody else holds the run or has ended it: whatever is left of the work is void."""


class Progress:
    """Writes the messages of one run, as its owner."""

    def __init__(
        self, run: RunRecord, runs: RunStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run = run
        self._runs = runs
        self._clock = clock
        self._last_s = float("-inf")

    def send(self, message: TrainResponse) -> None:
        """Write a message that every client gets.

        Raises:
            Superseded: the run is not this owner's any more.
            DependencyDown: the store did not answer for half a minute.
        """
        run, payload = self._run, message.SerializeToString()
        try:
            patiently(
                lambda: untraced(lambda: self._runs.append(run.run_id, run.fencing_token, payload))
            )
        except Conflict as error:
            raise Superseded from error
        self._last_s = self._clock()

    def send_if_due(self, message: TrainResponse) -> None:
        """Write a message that may be left out: 100 ms after the last one; raises as `send`."""
        if self._clock() - self._last_s >= _LEAST_PAUSE_S:
            self.send(message)

    def finish(self, ended: RunRecord, message: TrainResponse) -> None:
        """Write the last message together with the run's final record; raises as `send`."""
        try:
            patiently(lambda: self._runs.finish(ended, message.SerializeToString()))
        except Conflict as error:
            raise Superseded from error
