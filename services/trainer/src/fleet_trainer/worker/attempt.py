"""One owner's attempt at a run: from opening it to its end."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch

from fleet_engine import Pipeline
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import build_stored, from_safetensors, to_safetensors
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, Cancelled, DependencyDown
from fleet_platform.files import PathPolicy
from fleet_platform.runs import Checkpoint
from fleet_platform.telemetry import current_trace_id, logger
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_CALIBRATION,
    TRAINER_TYPE_GRADIENT,
    TrainResponse,
)
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig, canonical_json, digest, parse_config
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.failure import error_from
from fleet_trainer.runs.store_calls import patiently
from fleet_trainer.training.calibration import calibrate_thresholds
from fleet_trainer.training.context import Trained, TrainingWork
from fleet_trainer.training.statistical import train_statistically
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.lease import Heartbeat
from fleet_trainer.worker.progress import Progress, Superseded
from fleet_trainer.worker.ranks import Ranks
from fleet_trainer.worker.session_writer import SESSION_CLOSED, NeverNoted, SessionWriter

_log = logger("fleet.trainer")

_STOPPED = "Training cancelled; the pipeline holds the state of the last completed step"


class Ending(NamedTuple):
    """How a run ended: its final record and the last message of its stream."""

    record: records.RunRecord
    message: TrainResponse


class _Kind(NamedTuple):
    """A kind of training: how it begins to tell, and what it does."""

    first_message: TrainResponse
    train: Callable[[TrainingWork], Trained]


def _train_by_gradient(work: TrainingWork) -> Trained:
    # Lightning takes seconds to import, which no other kind of training shall wait for.
    from fleet_trainer.training.gradient import train_by_gradient

    return train_by_gradient(work)


_STATISTICAL = _Kind(train_messages.starting_statistical(), train_statistically)
_KINDS: Mapping[int, _Kind] = MappingProxyType(
    {
        TRAINER_TYPE_GRADIENT: _Kind(train_messages.starting_gradient(), _train_by_gradient),
        TRAINER_TYPE_CALIBRATION: _Kind(
            train_messages.starting_calibration(), calibrate_thresholds
        ),
    }
)


class RunAttempt:
    """Trains one run, and decides how it ends."""

    def __init__(
        self,
        run: records.RunRecord,
        *,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        policy: PathPolicy,
        device: torch.device,
        read_ahead: int,
        ranks: Ranks,
        session: SessionWriter,
        heartbeat: Heartbeat,
        progress: Progress,
        checkpoints: Checkpoints,
        on_epoch: Callable[[], object],
    ) -> None:
        self._run = run
        self._artifacts = artifacts
        self._plugins = plugins
        self._policy = policy
        self._device = device
        self._read_ahead = read_ahead
        self._ranks = ranks
        self._session = session
        self._heartbeat = heartbeat
        self._progress = progress
        self._checkpoints = checkpoints
        self._on_epoch = on_epoch
        self._pipeline: Pipeline | None = None
        self._begins_with = run.pipeline.weights_digest

    def outcome(self) -> Ending:
        """Train; what came of it is in the session when this returns.

        Raises:
            Superseded: the run is not this owner's any more.
            DependencyDown: a store did not answer for half a minute.
        """
        try:
            return self._train()
        except (Superseded, DependencyDown):
            raise
        except NeverNoted as error:
            message = train_messages.failed(error.text)
            return Ending(run_endings.rejected(self._run, error), message)
        except Cancelled as stop:
            if self._heartbeat.is_superseded:
                raise Superseded from stop
            return self._stopped()
        except Exception as error:
            if not isinstance(error, AppError):
                _log.exception("run.broke", run_id=self._run.run_id)
            return self._failed(error_from(error, current_trace_id()))

    def _train(self) -> Ending:
        self._session.begin()
        kind = _KINDS.get(self._run.trainer_type, _STATISTICAL)
        resumed = self._checkpoints.load()
        if resumed is not None:
            self._begins_with = resumed.weights_digest
        self._progress.send(self._first_message(resumed, kind))
        self._pipeline = self._open_pipeline()
        work = TrainingWork(
            run=self._run,
            pipeline=self._pipeline,
            data=parse_config(DataConfig, self._run.data_config_json, "data"),
            policy=self._policy,
            progress=self._progress,
            should_stop=self._heartbeat.should_stop,
            resumed=resumed,
            keep_fitted=self._keep_fitted,
            keep_epoch=self._keep_epoch,
            read_ahead=self._read_ahead,
            ranks=self._ranks,
        )
        trained = kind.train(work)
        result = self._publish(trained.config)
        return Ending(run_endings.completed(self._run, result), trained.message)

    def _stopped(self) -> Ending:
        """End a run that was to stop; what it did until then is kept, if the session is there."""
        run = self._run
        if self._pipeline is not None and not self._heartbeat.is_session_gone:
            try:
                result = self._publish(self._pipeline.config)
                message = train_messages.cancelled(_STOPPED)
                return Ending(run_endings.cancelled(run, result), message)
            except DependencyDown:
                raise
            except Cancelled:
                pass  # the session was closed in this moment
            except AppError as error:
                return Ending(run_endings.failed(run, error), train_messages.failed(error.text))
        return Ending(run_endings.cancelled(run), train_messages.cancelled(SESSION_CLOSED))

    def _failed(self, error: AppError) -> Ending:
        """End a run that broke off; the session gets the weights of its last whole epoch."""
        run = self._run
        ended = Ending(run_endings.failed(run, error), train_messages.failed(error.text))
        if self._pipeline is None or not self._checkpoints.any_epoch:
            return ended
        # Makes room on a volume that is full.
        self._checkpoints.discard()
        try:
            result = self._publish(self._pipeline.config)
        except AppError as also:
            _log.warning("run.weights_lost", run_id=run.run_id, error=also.text)
            return ended
        told = type(error)(f"{error.text} The session has the weights of the last whole epoch.")
        return Ending(run_endings.failed(run, told, result), train_messages.failed(told.text))

    def _first_message(self, resumed: Checkpoint | None, kind: _Kind) -> TrainResponse:
        if resumed is not None:
            return train_messages.resumed(resumed.epoch)
        is_first_attempt = self._run.fencing_token == 1
        return kind.first_message if is_first_attempt else train_messages.started_again()

    def _open_pipeline(self) -> Pipeline:
        pipeline = patiently(lambda: build_stored(self._run.pipeline, self._plugins))
        if self._begins_with:
            from_safetensors(pipeline, patiently(lambda: self._artifacts.get(self._begins_with)))
        return pipeline.to(self._device)

    def _keep_fitted(self) -> None:
        self._begins_with = self._put_weights()
        self._checkpoints.save(Checkpoint(0, self._begins_with))

    def _keep_epoch(self, epoch: int, state: bytes) -> None:
        self._checkpoints.save(Checkpoint(epoch, self._begins_with, state))
        self._on_epoch()

    def _publish(self, config: PipelineConfig) -> records.Pipeline:
        result = records.Pipeline()
        result.CopyFrom(self._run.pipeline)
        result.weights_digest = self._put_weights()
        if self._pipeline is None or config is not self._pipeline.config:
            result.config_json = canonical_json(config)
            result.config_digest = digest(result.config_json)
        self._session.publish(result)
        return result

    def _put_weights(self) -> str:
        if self._pipeline is None:
            raise AssertionError("no pipeline was opened")
        content = to_safetensors(self._pipeline)
        return patiently(lambda: self._artifacts.put(content))
