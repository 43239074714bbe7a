"""Works on one run after another, as their owner."""

import gc
import time

import torch

from fleet_engine.plugins import PluginLoader
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, DependencyDown, Reason
from fleet_platform.files import PathPolicy
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import MetricRegistry, exemplar, logger, span_from_traceparent
from fleet_platform.telemetry.attributes import DEVICE, RUN_ID, SESSION_ID
from fleet_platform.telemetry.catalogue import metrics, spans
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainerType
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.store_calls import patiently
from fleet_trainer.supervisor.recovery import InterruptedRuns
from fleet_trainer.worker.attempt import RunAttempt
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.lease import Heartbeat
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.worker.progress import Progress, Superseded
from fleet_trainer.worker.ranks import Ranks
from fleet_trainer.worker.session_writer import SessionWriter

_log = logger("fleet.trainer")

_SPENDING = frozenset({Reason.DEFECT.name, Reason.EXHAUSTED.name})
"""After these a process may hold memory, or a state, that the next run should not inherit."""


class RunWorker:
    """Trains runs, one at a time, in a process that does nothing else."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        runs: RunStore,
        policy: PathPolicy,
        device: torch.device,
        heartbeat_s: float,
        read_ahead: int,
        settings_json: str,
        registry: MetricRegistry | None = None,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._plugins = plugins
        self._runs = runs
        self._policy = policy
        self._device = device
        self._heartbeat_s = heartbeat_s
        self._read_ahead = read_ahead
        self._settings_json = settings_json
        registry = registry or MetricRegistry()
        self._seconds = registry.histogram(metrics.RUN_SECONDS)
        self._epochs = registry.counter(metrics.EPOCHS)
        self._interrupted = InterruptedRuns(runs, artifacts)
        self._present: Assignment | None = None

    def execute(self, assignment: Assignment) -> ChildReply:
        """Work on a run until it is settled; never raises for what goes wrong with the run."""
        try:
            run = patiently(lambda: self._runs.read(assignment.run_id))
        except AppError as error:
            _log.warning("run.not_read", run_id=assignment.run_id, error=error.text)
            return ChildReply.DONE
        if run.fencing_token != assignment.fencing_token or not run_endings.is_active(run):
            return ChildReply.DONE
        self._present = assignment
        began_s = time.perf_counter()
        with span_from_traceparent(spans.RUN.name, run.traceparent, spans.RUN.scope) as span:
            span.set_attribute(RUN_ID, run.run_id)
            span.set_attribute(SESSION_ID, run.session_id)
            span.set_attribute(DEVICE, str(self._device))
            with Heartbeat(
                run, runs=self._runs, sessions=self._sessions, every_s=self._heartbeat_s
            ) as heartbeat:
                reply = self._settle(run, heartbeat)
            self._seconds.labels(_kind_of(run)).observe(time.perf_counter() - began_s, exemplar())
        self._present = None
        return reply

    def abandon(self) -> None:
        """Put the present run back into the queue, from another thread: this process is to end."""
        present = self._present
        if present is not None:
            error = DependencyDown("The trainer that ran this training is gone. Call Train again.")
            self._interrupted.died(present, error)

    def _settle(self, run: RunRecord, heartbeat: Heartbeat) -> ChildReply:
        _log.info("run.started", run_id=run.run_id, session_id=run.session_id)
        checkpoints = Checkpoints(run, runs=self._runs, artifacts=self._artifacts)
        progress = Progress(run, self._runs)
        attempt = RunAttempt(
            run,
            artifacts=self._artifacts,
            plugins=self._plugins,
            policy=self._policy,
            device=self._device,
            read_ahead=self._read_ahead,
            ranks=Ranks(self._settings_json, Assignment(run.run_id, run.fencing_token)),
            session=SessionWriter(run, runs=self._runs, sessions=self._sessions),
            heartbeat=heartbeat,
            progress=progress,
            checkpoints=checkpoints,
            on_epoch=self._epochs.inc,
        )
        try:
            ending = attempt.outcome()
            progress.finish(ending.record, ending.message)
        except Superseded:
            _log.warning("run.superseded", run_id=run.run_id)
            return ChildReply.DONE
        except DependencyDown as error:
            # A store was away for longer than patience lasts; another attempt may find it back.
            self._interrupted.died(Assignment(run.run_id, run.fencing_token), error)
            return ChildReply.DONE
        finally:
            del attempt
            gc.collect()
            torch.cuda.empty_cache()
        checkpoints.discard()
        _log.info("run.ended", run_id=run.run_id, outcome=ending.message.message)
        return ChildReply.SPENT if ending.record.error_reason in _SPENDING else ChildReply.DONE


def _kind_of(run: RunRecord) -> str:
    name = TrainerType.Name(TrainerType.ValueType(run.trainer_type))
    return name.removeprefix("TRAINER_TYPE_").lower()
