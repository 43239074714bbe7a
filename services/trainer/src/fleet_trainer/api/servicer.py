"""The gRPC methods that the trainer implements."""

from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry import trace

from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Call
from fleet_platform.rpc.service import Handler
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_platform.telemetry.attributes import RUN_ID
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    GetTrainStatusRequest,
    GetTrainStatusResponse,
    RestoreTrainRunRequest,
    RestoreTrainRunResponse,
    SaveTrainRunRequest,
    SaveTrainRunResponse,
    SetTrainRunConfigRequest,
    SetTrainRunConfigResponse,
    StopTrainRequest,
    StopTrainResponse,
    TrainRequest,
    TrainResponse,
    TrainRunConfig,
)
from fleet_proto.training_key import KEY
from fleet_trainer.api.requests import run_settings, trainer_type_of
from fleet_trainer.runs.key import TrainingKey
from fleet_trainer.runs.launcher import RunLauncher, attachable
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.trainruns.restoring import TrainRunRestoring
from fleet_trainer.trainruns.saving import TrainRunSaving
from fleet_trainer.trainruns.setup import TrainRunSetup


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerServicer:
    """Converts requests, calls the trainer, converts the results."""

    sessions: SessionStore
    runs: TrainingRuns
    launcher: RunLauncher
    setup: TrainRunSetup
    saving: TrainRunSaving
    restoring: TrainRunRestoring
    paths: PathPolicy

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by method name."""
        return {
            "SetTrainRunConfig": self.set_train_run_config,
            "Train": self.train,
            "StopTrain": self.stop_train,
            "GetTrainStatus": self.get_train_status,
            "SaveTrainRun": self.save_train_run,
            "RestoreTrainRun": self.restore_train_run,
        }

    def set_train_run_config(
        self, request: SetTrainRunConfigRequest, _call: Call
    ) -> SetTrainRunConfigResponse:
        """Apply a trainrun to the session."""
        has_pipeline = self.setup.apply(request.session_id, request.config.config_bytes)
        return SetTrainRunConfigResponse(success=True, pipeline_from_config=has_pipeline)

    def train(self, request: TrainRequest, call: Call) -> Iterator[TrainResponse]:
        """Launch a training, or attach to an existing one, and stream its messages."""
        session = self.sessions.read(request.session_id)
        require_pipeline(session)
        key = TrainingKey.of(call)
        run = self.runs.resolve(session, key)
        if run is None:
            settings = run_settings(request, session, self.paths)
            call.check()
            run = self.launcher.launch(
                session,
                settings.trainer_type,
                key.key,
                data_config_json=settings.data_config_json,
                training_config_json=settings.training_config_json,
            )
        elif request.trainer_type or not key.follow_only:
            attachable(run, trainer_type_of(request))
        trace.get_current_span().set_attribute(RUN_ID, run.run_id)
        if run.key:
            call.send_initial_metadata(KEY, run.key)
        return self.runs.follow(run.run_id, call.is_active)

    def stop_train(self, request: StopTrainRequest, _call: Call) -> StopTrainResponse:
        """Stop the session's training, or the next one if none is active."""
        message = self.runs.stop(self.sessions.read(request.session_id))
        return StopTrainResponse(accepted=True, message=message)

    def get_train_status(
        self, request: GetTrainStatusRequest, _call: Call
    ) -> GetTrainStatusResponse:
        """Return the progress of the session's latest training."""
        session = self.sessions.read(request.session_id)
        return GetTrainStatusResponse(latest_progress=self.runs.latest(session))

    def save_train_run(self, request: SaveTrainRunRequest, _call: Call) -> SaveTrainRunResponse:
        """Write the session's trainrun and, if requested, its weights to files."""
        saved = self.saving.save(
            request.session_id, request.trainrun_path, with_weights=request.save_weights
        )
        return SaveTrainRunResponse(
            success=True,
            trainrun_path=str(saved.trainrun_path),
            pipeline_path=str(saved.pipeline_path or ""),
            weights_path=str(saved.weights_path or ""),
        )

    def restore_train_run(
        self, request: RestoreTrainRunRequest, _call: Call
    ) -> RestoreTrainRunResponse:
        """Apply the trainrun of a file to a new session, or to the given one."""
        restored = self.restoring.restore(
            request.trainrun_path,
            weights_path=request.weights_path,
            strict=request.strict if request.HasField("strict") else True,
            session_id=request.session_id,
        )
        return RestoreTrainRunResponse(
            session_id=restored.session_id,
            trainrun=TrainRunConfig(config_bytes=restored.config_json),
        )
