"""The checkpoints of a run, of which only the newest is kept."""

from fleet_platform.errors import AppError, Conflict, NotFound
from fleet_platform.retry import retry_while_unavailable
from fleet_platform.runs import Checkpoint
from fleet_platform.telemetry import logger
from fleet_trainer.training.context import RunContext
from fleet_trainer.worker.progress import Superseded

_log = logger("fleet.trainer")


class Checkpoints:
    """Stores the checkpoints of a run, as its owner."""

    def __init__(self, context: RunContext) -> None:
        self._run = context.run
        self._runs = context.runs
        self._artifacts = context.artifacts
        self._newest = context.run.checkpoint_digest
        self._any_epoch = False

    @property
    def any_epoch(self) -> bool:
        """Whether at least one epoch is complete, here or before the run was interrupted."""
        return self._any_epoch

    def load(self) -> Checkpoint | None:
        """Return the newest checkpoint; None if none exists or it can no longer be read.

        Raises:
            DependencyDown: the volume did not answer for half a minute.
        """
        if not self._newest:
            return None
        try:
            content = retry_while_unavailable(lambda: self._artifacts.get(self._newest))
            found = Checkpoint.from_bytes(content, self._run.run_id)
        except NotFound as error:
            _log.warning("checkpoint.missing", run_id=self._run.run_id, error=error.text)
            return None
        self._any_epoch = found.epoch > 0
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint in place of the previous one.

        Raises:
            Superseded: the run has another owner by now.
            Exhausted: no space is left; the previous checkpoint still exists.
            DependencyDown: a store did not answer for half a minute.
        """
        run = self._run
        content = checkpoint.to_bytes(run.run_id, run.fencing_token)
        digest = retry_while_unavailable(lambda: self._artifacts.put(content))
        try:
            retry_while_unavailable(
                lambda: self._runs.save_checkpoint(run.run_id, run.fencing_token, digest)
            )
        except (Conflict, NotFound) as error:
            self._delete(digest)
            raise Superseded from error
        previous, self._newest = self._newest, digest
        self._any_epoch = checkpoint.epoch > 0
        if previous != digest:
            self._delete(previous)

    def discard(self) -> None:
        """Delete the newest checkpoint, once the run has ended."""
        self._delete(self._newest)
        self._newest = ""

    def _delete(self, digest: str) -> None:
        if not digest:
            return
        try:
            self._artifacts.delete(digest)
        except AppError as error:
            _log.warning("checkpoint.not_deleted", run_id=self._run.run_id, error=error.text)
