"""One owner's attempt at a run: from opening the run to its outcome."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from fleet_engine import Pipeline
from fleet_engine.training import WorkerGroup
from fleet_engine.weights import build_stored, from_safetensors, to_safetensors
from fleet_platform.errors import AppError, Cancelled, DependencyDown
from fleet_platform.retry import retry_while_unavailable
from fleet_platform.runs import Checkpoint
from fleet_platform.stored_records import copied
from fleet_platform.telemetry import current_trace_id, logger
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, TrainingConfig, canonical_json, digest
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.training.calibration import calibrate_thresholds
from fleet_trainer.training.context import RunContext, RunOwner, Train, Trained
from fleet_trainer.training.statistical import train_statistically
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.lease import Lease
from fleet_trainer.worker.progress import Progress, Superseded
from fleet_trainer.worker.ranks import Ranks
from fleet_trainer.worker.session_writer import SESSION_CLOSED, LaunchAborted, SessionWriter

_log = logger("fleet.trainer")

_STOPPED = "Training cancelled; the pipeline holds the state of the last completed step"


class Outcome(NamedTuple):
    """How a run ended: its final record and the last message of its stream."""

    record: records.RunRecord
    message: pb.TrainResponse


def train_by_type(context: RunContext, pipeline: Pipeline, owner: RunOwner) -> Trained:
    """Train a pipeline in the way that the run asks for."""
    match context.run.trainer_type:
        case pb.TRAINER_TYPE_GRADIENT:
            # Importing Lightning takes seconds, which no other kind of training must wait for.
            from fleet_trainer.training.gradient import train_by_gradient

            return train_by_gradient(context, pipeline, owner)
        case pb.TRAINER_TYPE_CALIBRATION:
            return calibrate_thresholds(context, pipeline, owner)
        case _:
            return train_statistically(context, pipeline, owner)


class Attempt:
    """Trains one run and decides how it ends.

    Implements `fleet_trainer.training.context.RunOwner`: the training calls back here.
    """

    def __init__(
        self,
        context: RunContext,
        train: Train = train_by_type,
        *,
        lease: Lease,
        checkpoints: Checkpoints,
        progress: Progress,
        session: SessionWriter,
        on_epoch: Callable[[], object],
    ) -> None:
        """Prepare an attempt, without access to the stores.

        Args:
            context: The run.
            train: Trains its pipeline.
            lease: Knows whether the run must stop.
            checkpoints: Stores and loads its checkpoints.
            progress: Writes its messages.
            session: Writes its result into the session.
            on_epoch: Called after each epoch.
        """
        self._context = context
        self._run = context.run
        self._artifacts = context.artifacts
        self._train = train
        self._lease = lease
        self._checkpoints = checkpoints
        self._progress = progress
        self._on_epoch = on_epoch
        self._session = session
        self._pipeline: Pipeline | None = None
        self._initial_weights = context.run.pipeline.weights_digest
        self.resumed: Checkpoint | None = None
        """The state from which the run continues; None at its beginning."""
        self.send = progress.send
        self.send_if_due = progress.send_if_due
        self.should_stop = lease.should_stop

    def outcome(self) -> Outcome:
        """Train; the result is in the session when this returns.

        Raises:
            Superseded: the run has another owner by now.
            DependencyDown: a store did not answer for half a minute.
        """
        try:
            return self._trained()
        except (Superseded, DependencyDown):
            raise
        except LaunchAborted as error:
            return Outcome(outcomes.rejected(self._run, error), messages.failed(error.text))
        except Cancelled as error:
            if self._lease.is_superseded:
                raise Superseded from error
            return self._stopped()
        except Exception as error:
            if not isinstance(error, AppError):
                _log.exception("run.broke", run_id=self._run.run_id)
            return self._failed(outcomes.public_error(error, current_trace_id()))

    def save_fitted(self) -> None:
        """Save the pipeline as the state in which the first epoch starts."""
        self._initial_weights = self._put_weights(self._opened())
        self._checkpoints.save(Checkpoint(0, self._initial_weights))

    def save_epoch(self, epoch: int, state: bytes) -> None:
        """Save the engine's state after this many epochs."""
        self._checkpoints.save(Checkpoint(epoch, self._initial_weights, state))
        self._on_epoch()

    def group(self, training: TrainingConfig) -> AbstractContextManager[WorkerGroup | None]:
        """Start the ranks that the settings ask for; None if this process trains alone."""
        return Ranks(self._context).joined(training, self._opened().device)

    def _trained(self) -> Outcome:
        self._session.begin()
        self.resumed = self._checkpoints.load()
        if self.resumed is not None:
            self._initial_weights = self.resumed.weights_digest
        self.send(self._first_message())
        self._pipeline = self._open_pipeline()
        trained = self._train(self._context, self._pipeline, self)
        result = self._publish(self._pipeline, trained.config)
        return Outcome(outcomes.completed(self._run, result), trained.message)

    def _stopped(self) -> Outcome:
        """End a run that was asked to stop; its state is published if the session exists."""
        run = self._run
        if self._pipeline is not None and not self._lease.is_session_closed:
            try:
                result = self._publish(self._pipeline, self._pipeline.config)
                return Outcome(outcomes.cancelled(run, result), messages.cancelled(_STOPPED))
            except DependencyDown:
                raise
            except Cancelled:
                pass  # the session was closed at this moment
            except AppError as error:
                return Outcome(outcomes.failed(run, error), messages.failed(error.text))
        return Outcome(outcomes.cancelled(run), messages.cancelled(SESSION_CLOSED))

    def _failed(self, error: AppError) -> Outcome:
        """End a run that failed; the session gets the weights of its last complete epoch."""
        run = self._run
        without_result = Outcome(outcomes.failed(run, error), messages.failed(error.text))
        if self._pipeline is None or not self._checkpoints.any_epoch:
            return without_result
        # The volume may be full: free the space of the checkpoint for the weights.
        self._checkpoints.discard()
        try:
            result = self._publish(self._pipeline, self._pipeline.config)
        except AppError as unpublished:
            _log.warning("run.weights_lost", run_id=run.run_id, error=unpublished.text)
            return without_result
        final = type(error)(f"{error.text} The session has the weights of the last whole epoch.")
        return Outcome(outcomes.failed(run, final, result), messages.failed(final.text))

    def _first_message(self) -> pb.TrainResponse:
        if self.resumed is not None:
            return messages.resumed(self.resumed.epoch)
        if self._run.fencing_token > 1:
            return messages.started_again()
        match self._run.trainer_type:
            case pb.TRAINER_TYPE_GRADIENT:
                return messages.starting_gradient()
            case pb.TRAINER_TYPE_CALIBRATION:
                return messages.starting_calibration()
            case _:
                return messages.starting_statistical()

    def _open_pipeline(self) -> Pipeline:
        pipeline = retry_while_unavailable(
            lambda: build_stored(self._run.pipeline, self._context.plugins)
        )
        if self._initial_weights:
            from_safetensors(
                pipeline,
                retry_while_unavailable(lambda: self._artifacts.get(self._initial_weights)),
            )
        return pipeline.to(self._context.device)

    def _opened(self) -> Pipeline:
        if self._pipeline is None:
            raise AssertionError("the pipeline is not open")
        return self._pipeline

    def _publish(self, pipeline: Pipeline, config: PipelineConfig) -> records.Pipeline:
        result = copied(self._run.pipeline)
        result.weights_digest = self._put_weights(pipeline)
        if config is not pipeline.config:
            result.config_json = canonical_json(config)
            result.config_digest = digest(result.config_json)
        self._session.publish(result)
        return result

    def _put_weights(self, pipeline: Pipeline) -> str:
        content = to_safetensors(pipeline)
        return retry_while_unavailable(lambda: self._artifacts.put(content))
