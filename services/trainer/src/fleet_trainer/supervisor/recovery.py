"""What becomes of runs whose owner is gone."""

from collections.abc import Callable

from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, Conflict, DependencyDown, NotFound
from fleet_platform.runs import RunStore
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RUN_STATE_RUNNING, RunRecord
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.executor import Assignment

_log = logger("fleet.trainer")

MAX_ATTEMPTS = 3
"""How often a run may be taken up without leaving a checkpoint before it counts as hopeless."""


class InterruptedRuns:
    """Puts them back into the queue, from where any trainer takes them up again.

    A run that keeps losing its owner without getting on would take one trainer after another with
    it, so that one ends with an error.
    """

    def __init__(self, runs: RunStore, artifacts: ArtifactStore) -> None:
        self._runs = runs
        self._artifacts = artifacts

    def died(self, assignment: Assignment, error: AppError) -> None:
        """The owner died, or could not go on, without its doing.

        Args:
            assignment: What it worked on; nothing happens when another holds the run.
            error: What clients are told if the run is not tried again.
        """
        self._unless_moot(assignment, lambda: self._requeue_or_end(assignment, error))

    def given_back(self, assignment: Assignment) -> None:
        """The owner ends in an orderly way; that does not count against the run."""

        def release() -> None:
            self._runs.release(assignment.run_id, assignment.fencing_token, died=False)
            _log.info("run.given_back", run_id=assignment.run_id)

        self._unless_moot(assignment, release)

    def _requeue_or_end(self, assignment: Assignment, error: AppError) -> None:
        run = self._runs.read(assignment.run_id)
        if run.fencing_token != assignment.fencing_token or run.state != RUN_STATE_RUNNING:
            return
        if run.attempts >= MAX_ATTEMPTS:
            self._end(run, error)
        elif self._runs.release(run.run_id, run.fencing_token, died=True):
            _log.warning(
                "run.interrupted",
                run_id=run.run_id,
                session_id=run.session_id,
                attempts=run.attempts,
                error=error.text,
            )

    def _end(self, run: RunRecord, error: AppError) -> None:
        told = type(error)(
            f"{error.text} The training was begun {run.attempts} times without getting further."
        )
        self._runs.finish(
            run_endings.failed(run, told), train_messages.failed(told.text).SerializeToString()
        )
        _log.error("run.hopeless", run_id=run.run_id, session_id=run.session_id, error=told.text)
        if run.checkpoint_digest:
            self._artifacts.delete(run.checkpoint_digest)

    def _unless_moot(self, assignment: Assignment, act: Callable[[], None]) -> None:
        try:
            act()
        except (Conflict, NotFound):
            return
        except DependencyDown as down:
            # The run shows no sign of life: some trainer sees it lost when the store is back.
            _log.warning("run.not_settled", run_id=assignment.run_id, error=down.text)
