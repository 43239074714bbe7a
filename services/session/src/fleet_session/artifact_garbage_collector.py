"""Makes room on the artifact volume."""

import threading
from collections.abc import Iterator

from fleet_platform.artifacts import ArtifactStore, Removed
from fleet_platform.errors import AppError, Conflict, NotFound
from fleet_platform.runs import Checkpoint, RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord

_LOOKS_PER_LIFE = 24
_LAST_LOOK_S = 1.0
_NEWER_CHECKPOINTS = 5
_log = logger("fleet.session")


class ArtifactGarbageCollector:
    """Removes weights, code and checkpoints that no session and no training names any more.

    Replicas do so independently of each other. Nothing is removed where a store does not answer:
    what cannot be read may name anything.
    """

    def __init__(
        self, *, sessions: SessionStore, runs: RunStore, artifacts: ArtifactStore, kept_s: float
    ) -> None:
        """Take the parts.

        Args:
            sessions: All sessions.
            runs: All trainings.
            artifacts: Where it is removed.
            kept_s: Seconds for which everything is kept after it was stored.
        """
        self._sessions = sessions
        self._runs = runs
        self._artifacts = artifacts
        self._kept_s = kept_s
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="artifact-garbage-collector", daemon=True
        )

    def start(self) -> None:
        """Remove from now on, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; a look at a large volume may outlast this, and may end with the process."""
        self._closing.set()
        self._thread.join(_LAST_LOOK_S)

    def sweep(self) -> Removed:
        """Look once.

        Raises:
            Conflict: checkpoints are replaced before they can be read.
            DependencyDown: a store does not answer; nothing, or not everything, was removed.
        """
        # In this order: a training takes what its session has, and the session stays what it is
        # until the training has stored its own.
        used = {*self._of_sessions(), *self._of_runs()}
        removed = self._artifacts.remove_unused(used, self._kept_s)
        if removed.count:
            _log.info("artifacts.removed", count=removed.count, size_bytes=removed.size_bytes)
        return removed

    def _run(self) -> None:
        while not self._closing.wait(self._kept_s / _LOOKS_PER_LIFE):
            try:
                self.sweep()
            except AppError as error:
                _log.warning("artifacts.not_removed", error=error.text)

    def _of_sessions(self) -> Iterator[str]:
        for session in self._sessions.all():
            yield from _of_pipeline(session.pipeline)
            yield from (plugin.code_digest for plugin in session.plugins)

    def _of_runs(self) -> Iterator[str]:
        for run in self._runs.all():
            yield from _of_pipeline(run.pipeline)
            yield from _of_pipeline(run.result)
            yield run.result_weights_digest
            yield from self._of_checkpoint(run)

    def _of_checkpoint(self, run: RunRecord) -> Iterator[str]:
        """The checkpoint, and the weights that whoever resumes it needs besides."""
        newest = run.checkpoint_digest
        for _ in range(_NEWER_CHECKPOINTS):
            if not newest:
                return
            yield newest
            try:
                checkpoint = Checkpoint.from_bytes(self._artifacts.get(newest), run.run_id)
            except NotFound:
                before, newest = newest, self._checkpoint_of(run.run_id)
                if newest == before:
                    return
            else:
                yield checkpoint.weights_digest
                return
        raise Conflict(f"Training run {run.run_id} leaves checkpoints faster than they are read.")

    def _checkpoint_of(self, run_id: str) -> str:
        try:
            return self._runs.read(run_id).checkpoint_digest
        except NotFound:
            return ""


def _of_pipeline(pipeline: Pipeline) -> Iterator[str]:
    yield pipeline.weights_digest
    yield from (plugin.code_digest for plugin in pipeline.plugins)
