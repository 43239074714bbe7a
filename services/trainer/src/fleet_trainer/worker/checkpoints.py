"""The checkpoints of one run: always the newest one, and no other."""

from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, Conflict, NotFound
from fleet_platform.runs import Checkpoint, RunStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.runs.store_calls import patiently
from fleet_trainer.worker.progress import Superseded

_log = logger("fleet.trainer")


class Checkpoints:
    """Stores checkpoints of a run, as its owner."""

    def __init__(self, run: RunRecord, *, runs: RunStore, artifacts: ArtifactStore) -> None:
        self._run = run
        self._runs = runs
        self._artifacts = artifacts
        self._newest = run.checkpoint_digest
        self._any_epoch = False

    @property
    def any_epoch(self) -> bool:
        """Whether at least one epoch is complete, here or before the run was resumed."""
        return self._any_epoch

    def load(self) -> Checkpoint | None:
        """The newest one; None: there is none, or it cannot be read any more.

        Raises:
            DependencyDown: the volume did not answer for half a minute.
        """
        if not self._newest:
            return None
        try:
            content = patiently(lambda: self._artifacts.get(self._newest))
            found = Checkpoint.from_bytes(content, self._run.run_id)
        except NotFound as error:
            _log.warning("checkpoint.gone", run_id=self._run.run_id, error=error.text)
            return None
        self._any_epoch = found.epoch > 0
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Store it in place of the one before.

        Raises:
            Superseded: the run is not this owner's any more.
            Exhausted: no space is left; the one before is still there.
            DependencyDown: a store did not answer for half a minute.
        """
        run = self._run
        content = checkpoint.to_bytes(run.run_id, run.fencing_token)
        digest = patiently(lambda: self._artifacts.put(content))
        try:
            patiently(lambda: self._runs.save_checkpoint(run.run_id, run.fencing_token, digest))
        except (Conflict, NotFound) as error:
            self._delete(digest)
            raise Superseded from error
        before, self._newest = self._newest, digest
        self._any_epoch = checkpoint.epoch > 0
        if before != digest:
            self._delete(before)

    def discard(self) -> None:
        """Forget the newest one; for a run that has ended."""
        self._delete(self._newest)
        self._newest = ""

    def _delete(self, digest: str) -> None:
        if not digest:
            return
        try:
            self._artifacts.delete(digest)
        except AppError as error:
            _log.warning("checkpoint.not_deleted", run_id=self._run.run_id, error=error.text)
