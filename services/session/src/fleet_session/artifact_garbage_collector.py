"""Garbage collection of unreferenced artifacts."""

import threading
from collections.abc import Iterator

from fleet_platform.artifacts import ArtifactStore, Removed
from fleet_platform.errors import AppError, Conflict, NotFound
from fleet_platform.runs import Checkpoint, RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord

_SWEEPS_PER_RETENTION = 24
_CLOSE_WAIT_S = 1.0
_MAX_CHECKPOINT_READS = 5
_log = logger("fleet.session")


class ArtifactGarbageCollector:
    """Removes weights, code and checkpoints that no session or training run refers to.

    Each replica does so independently. Nothing is removed while a store is unavailable, because
    records that cannot be read may refer to any artifact.
    """

    def __init__(
        self, *, sessions: SessionStore, runs: RunStore, artifacts: ArtifactStore, kept_s: float
    ) -> None:
        """Create a collector that does not run yet.

        Args:
            sessions: the store of all sessions.
            runs: the store of all training runs.
            artifacts: the store to clean up.
            kept_s: seconds for which an artifact is kept after it was last stored.
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
        """Start sweeping on a daemon thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop; a sweep in progress may outlive this call."""
        self._closing.set()
        self._thread.join(_CLOSE_WAIT_S)

    def sweep(self) -> Removed:
        """Run one sweep.

        Raises:
            Conflict: checkpoints are replaced before they can be read.
            DependencyDown: a store is unavailable; nothing, or not everything, was removed.
        """
        # Sessions first: a run starts with the artifacts of its session, and the session keeps
        # them until the run has stored its own.
        used = {*self._of_sessions(), *self._of_runs()}
        removed = self._artifacts.remove_unused(used, self._kept_s)
        if removed.count:
            _log.info("artifacts.removed", count=removed.count, size_bytes=removed.size_bytes)
        return removed

    def _run(self) -> None:
        while not self._closing.wait(self._kept_s / _SWEEPS_PER_RETENTION):
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
        """Yield the digests of the newest checkpoint and of the weights that a resume needs."""
        newest = run.checkpoint_digest
        for _ in range(_MAX_CHECKPOINT_READS):
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
        raise Conflict(
            f"Training run {run.run_id} replaces checkpoints faster than they can be read."
        )

    def _checkpoint_of(self, run_id: str) -> str:
        try:
            return self._runs.read(run_id).checkpoint_digest
        except NotFound:
            return ""


def _of_pipeline(pipeline: Pipeline) -> Iterator[str]:
    yield pipeline.weights_digest
    yield from (plugin.code_digest for plugin in pipeline.plugins)
