"""Works on one run: from its record to trained weights in the session."""

import gc

import torch

from fleet_engine import Pipeline, build_pipeline
from fleet_engine.weights import from_safetensors, to_safetensors
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import (
    AppError,
    Cancelled,
    DependencyDown,
    NotFound,
    OutOfOrder,
    Reason,
)
from fleet_platform.files import PathPolicy
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import current_trace_id, logger, span_from_traceparent
from fleet_platform.telemetry.attributes import DEVICE, RUN_ID, SESSION_ID
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import RunRecord, SessionRecord
from fleet_schemas import DataConfig, PipelineConfig, parse_config
from fleet_trainer import run_endings, train_messages
from fleet_trainer.child_reply import ChildReply
from fleet_trainer.heartbeat import Heartbeat
from fleet_trainer.patience import patiently
from fleet_trainer.progress import Progress, Superseded
from fleet_trainer.run_failure import error_from
from fleet_trainer.statistical import fit_statistically

_log = logger("fleet.trainer")

_SESSION_CLOSED = "Training cancelled; the session was closed"
_SPENDING = frozenset({Reason.DEFECT.name, Reason.EXHAUSTED.name})
"""After these a process may hold memory, or a state, that the next run should not inherit."""


class RunWorker:
    """Claims runs and trains them, one at a time, in a process that does nothing else."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        runs: RunStore,
        policy: PathPolicy,
        device: torch.device,
        owner: str,
        heartbeat_s: float,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._runs = runs
        self._policy = policy
        self._device = device
        self._owner = owner
        self._heartbeat_s = heartbeat_s

    def execute(self, run_id: str) -> ChildReply:
        """Work on a run until it is settled; never raises for what goes wrong with the run."""
        try:
            run = patiently(lambda: self._runs.claim(run_id, self._owner))
        except AppError as error:
            _log.warning("run.not_claimed", run_id=run_id, error=error.text)
            return ChildReply.DONE
        with span_from_traceparent("trainer.run", run.traceparent, "fleet.trainer") as span:
            span.set_attribute(RUN_ID, run.run_id)
            span.set_attribute(SESSION_ID, run.session_id)
            span.set_attribute(DEVICE, str(self._device))
            with Heartbeat(
                run, runs=self._runs, sessions=self._sessions, every_s=self._heartbeat_s
            ) as heartbeat:
                return self._settle(run, heartbeat)

    def _settle(self, run: RunRecord, heartbeat: Heartbeat) -> ChildReply:
        _log.info("run.started", run_id=run.run_id, session_id=run.session_id)
        progress = Progress(run, self._runs)
        try:
            ended, last_message = self._outcome(run, heartbeat, progress)
            progress.finish(ended, last_message)
        except Superseded:
            _log.warning("run.superseded", run_id=run.run_id)
            return ChildReply.DONE
        except DependencyDown as error:
            # Nothing can be written; whoever follows the run finds its signs of life ended.
            _log.error("run.not_settled", run_id=run.run_id, error=error.text)
            return ChildReply.DONE
        finally:
            gc.collect()
            torch.cuda.empty_cache()
        _log.info("run.ended", run_id=run.run_id, outcome=last_message.message)
        return ChildReply.SPENT if ended.error_reason in _SPENDING else ChildReply.DONE

    def _outcome(
        self, run: RunRecord, heartbeat: Heartbeat, progress: Progress
    ) -> tuple[RunRecord, TrainResponse]:
        try:
            weights_digest = self._train(run, heartbeat, progress)
        except Superseded:
            raise
        except Cancelled as stop:
            if heartbeat.is_superseded:
                raise Superseded from stop
            return run_endings.cancelled(run), train_messages.cancelled(_SESSION_CLOSED)
        except Exception as error:
            if not isinstance(error, AppError):
                _log.exception("run.broke", run_id=run.run_id)
            told = error_from(error, current_trace_id())
            return run_endings.failed(run, told), train_messages.failed(told.text)
        done = train_messages.complete_statistical()
        return run_endings.completed(run, weights_digest), done

    def _train(self, run: RunRecord, heartbeat: Heartbeat, progress: Progress) -> str:
        progress.send(train_messages.starting_statistical())
        pipeline = self._open_pipeline(run)
        data = parse_config(DataConfig, run.data_config_json, "data")
        fit_statistically(
            pipeline,
            data,
            policy=self._policy,
            progress=progress,
            should_stop=heartbeat.should_stop,
        )
        if heartbeat.should_stop():
            raise Cancelled(_SESSION_CLOSED)
        weights_digest = patiently(lambda: self._artifacts.put(to_safetensors(pipeline)))
        self._publish(run, weights_digest)
        return weights_digest

    def _open_pipeline(self, run: RunRecord) -> Pipeline:
        pipeline = build_pipeline(
            parse_config(PipelineConfig, run.pipeline.config_json, "pipeline")
        )
        if run.pipeline.weights_digest:
            from_safetensors(pipeline, self._artifacts.get(run.pipeline.weights_digest))
        pipeline.to(self._device)
        return pipeline

    def _publish(self, run: RunRecord, weights_digest: str) -> None:
        """Give the weights to the session, before the run is told to be complete."""
        if not patiently(lambda: self._runs.heartbeat(run.run_id, run.fencing_token)):
            raise Superseded

        def change(session: SessionRecord) -> None:
            if session.run_id != run.run_id:
                raise Superseded
            if session.pipeline.config_digest != run.pipeline.config_digest:
                raise OutOfOrder(
                    "The session's pipeline was replaced while the former one was trained, so the"
                    " trained weights fit nothing. Call Train again to train the present one."
                )
            session.pipeline.weights_digest = weights_digest
            session.data_config_json = run.data_config_json

        try:
            patiently(lambda: self._sessions.update(run.session_id, change))
        except NotFound as error:
            raise Cancelled(_SESSION_CLOSED) from error
