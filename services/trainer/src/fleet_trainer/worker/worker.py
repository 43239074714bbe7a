"""Executes one run after another, as their owner."""

import gc
import time
from dataclasses import dataclass, field

import torch

from fleet_engine.plugins import PluginLoader
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, DependencyDown, Reason
from fleet_platform.files import PathPolicy
from fleet_platform.retry import retry_while_unavailable
from fleet_platform.runs import RunStore, is_active
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import MetricRegistry, exemplar, logger, span_from_traceparent
from fleet_platform.telemetry.attributes import DEVICE, RUN_ID, SESSION_ID
from fleet_platform.telemetry.catalogue import metrics, spans
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainerType
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.supervisor.recovery import RunRecovery
from fleet_trainer.training.context import RunContext, Train
from fleet_trainer.worker.attempt import Attempt, train_by_type
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.lease import Lease
from fleet_trainer.worker.messages import Finished
from fleet_trainer.worker.progress import Progress, Superseded
from fleet_trainer.worker.session_writer import LAUNCHED_WITHIN_S, SessionWriter

_log = logger("fleet.trainer")

_SPENDING = frozenset({Reason.DEFECT.name, Reason.EXHAUSTED.name})
"""Errors after which a process may retain memory or state that the next run must not inherit."""


@dataclass(kw_only=True)
class Worker:
    """Executes runs, one at a time, in a process that does nothing else."""

    sessions: SessionStore
    artifacts: ArtifactStore
    plugins: PluginLoader
    runs: RunStore
    paths: PathPolicy
    device: torch.device
    settings: TrainerSettings
    registry: MetricRegistry = field(default_factory=MetricRegistry)
    """Receives the duration of runs and the number of epochs."""

    train: Train = train_by_type
    """Trains an opened pipeline."""

    launched_within_s: float = LAUNCHED_WITHIN_S
    """Time within which the call that created a run records it in the session."""

    _current: Assignment | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Register the metrics."""
        self._seconds = self.registry.histogram(metrics.RUN_SECONDS)
        self._epochs = self.registry.counter(metrics.EPOCHS)
        self._recovery = RunRecovery(self.runs, self.artifacts)

    def execute(self, assignment: Assignment) -> Finished:
        """Execute a run until it is settled; does not raise errors of the run."""
        try:
            run = retry_while_unavailable(lambda: self.runs.read(assignment.run_id))
        except AppError as error:
            _log.warning("run.not_read", run_id=assignment.run_id, error=error.text)
            return Finished()
        if run.fencing_token != assignment.fencing_token or not is_active(run):
            return Finished()
        context = RunContext(
            run=run,
            runs=self.runs,
            sessions=self.sessions,
            artifacts=self.artifacts,
            plugins=self.plugins,
            paths=self.paths,
            device=self.device,
            settings=self.settings,
        )
        self._current = assignment
        started_s = time.perf_counter()
        with span_from_traceparent(spans.RUN.name, run.traceparent, spans.RUN.scope) as span:
            span.set_attributes(
                {RUN_ID: run.run_id, SESSION_ID: run.session_id, DEVICE: str(self.device)}
            )
            with Lease(context) as lease:
                finished = self._settle(context, lease)
            self._seconds.labels(_kind_of(run)).observe(time.perf_counter() - started_s, exemplar())
        self._current = None
        return finished

    def abandon(self) -> None:
        """Return the current run to the queue, from another thread: this process must exit."""
        current = self._current
        if current is not None:
            error = DependencyDown("The trainer that ran this training is gone. Call Train again.")
            self._recovery.worker_died(current, error)

    def _settle(self, context: RunContext, lease: Lease) -> Finished:
        run_id = context.run.run_id
        _log.info("run.started", run_id=run_id, session_id=context.run.session_id)
        checkpoints, progress = Checkpoints(context), Progress(context)
        attempt = Attempt(
            context,
            self.train,
            lease=lease,
            checkpoints=checkpoints,
            progress=progress,
            session=SessionWriter(context, self.launched_within_s),
            on_epoch=self._epochs.inc,
        )
        try:
            outcome = attempt.outcome()
            progress.finish(outcome.record, outcome.message)
        except Superseded:
            _log.warning("run.superseded", run_id=run_id)
            return Finished()
        except DependencyDown as error:
            # A store was unavailable for longer than calls are retried; another attempt may work.
            self._recovery.worker_died(Assignment(run_id, context.run.fencing_token), error)
            return Finished()
        finally:
            del attempt
            gc.collect()
            torch.cuda.empty_cache()
        checkpoints.discard()
        _log.info("run.ended", run_id=run_id, outcome=outcome.message.message)
        return Finished(is_spent=outcome.record.error_reason in _SPENDING)


def _kind_of(run: RunRecord) -> str:
    name = TrainerType.Name(TrainerType.ValueType(run.trainer_type))
    return name.removeprefix("TRAINER_TYPE_").lower()
