"""Recovery of runs that have lost their owner."""

from collections.abc import Callable

from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, Conflict, DependencyDown, NotFound
from fleet_platform.runs import RunStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RUN_STATE_RUNNING, RunRecord
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.executor import Assignment

_log = logger("fleet.trainer")

MAX_ATTEMPTS = 3
"""Attempts without a new checkpoint after which a run fails."""


class RunRecovery:
    """Returns interrupted runs to the queue, from which any trainer resumes them.

    A run whose owner dies in every attempt would bring down one trainer after another; after
    `MAX_ATTEMPTS` it fails. Implements `fleet_trainer.runs.executor.ExecutionListener`.
    """

    def __init__(self, runs: RunStore, artifacts: ArtifactStore) -> None:
        self._runs = runs
        self._artifacts = artifacts

    def worker_died(self, assignment: Assignment, error: AppError) -> None:
        """Recover a run whose owner died, or could not continue through no fault of the run.

        Args:
            assignment: What the owner executed; nothing happens if the run has another owner.
            error: What clients receive if the run is not tried again.
        """
        self._unless_superseded(assignment, lambda: self._requeue_or_fail(assignment, error))

    def run_released(self, assignment: Assignment) -> None:
        """Return the run of an owner that stops in an orderly way; not counted as an attempt."""

        def release() -> None:
            self._runs.release(assignment.run_id, assignment.fencing_token, died=False)
            _log.info("run.released", run_id=assignment.run_id)

        self._unless_superseded(assignment, release)

    def _requeue_or_fail(self, assignment: Assignment, error: AppError) -> None:
        run = self._runs.read(assignment.run_id)
        if run.fencing_token != assignment.fencing_token or run.state != RUN_STATE_RUNNING:
            return
        if run.attempts >= MAX_ATTEMPTS:
            self._fail(run, error)
        elif self._runs.release(run.run_id, run.fencing_token, died=True):
            _log.warning(
                "run.interrupted",
                run_id=run.run_id,
                session_id=run.session_id,
                attempts=run.attempts,
                error=error.text,
            )

    def _fail(self, run: RunRecord, error: AppError) -> None:
        final = type(error)(
            f"{error.text} The training run was started {run.attempts} times without progress."
        )
        self._runs.finish(
            outcomes.failed(run, final), messages.failed(final.text).SerializeToString()
        )
        _log.error("run.hopeless", run_id=run.run_id, session_id=run.session_id, error=final.text)
        if run.checkpoint_digest:
            self._artifacts.delete(run.checkpoint_digest)

    def _unless_superseded(self, assignment: Assignment, act: Callable[[], None]) -> None:
        try:
            act()
        except (Conflict, NotFound):
            return
        except DependencyDown as error:
            # The run has no heartbeat: a trainer finds it stale when the store is back.
            _log.warning("run.not_settled", run_id=assignment.run_id, error=error.text)
