"""The methods of the wire that the trainer answers."""

from collections.abc import Iterator

from fleet_platform.errors import InvalidInput, OutOfOrder
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    GetTrainStatusRequest,
    GetTrainStatusResponse,
    SetTrainRunConfigRequest,
    SetTrainRunConfigResponse,
    TrainRequest,
    TrainResponse,
)
from fleet_trainer import convert
from fleet_trainer.train_run_setup import TrainRunSetup
from fleet_trainer.training_runs import TrainingRuns, attachable


class TrainerServicer:
    """Converts in, calls the trainer, converts out."""

    def __init__(self, *, sessions: SessionStore, setup: TrainRunSetup, runs: TrainingRuns) -> None:
        self._sessions = sessions
        self._setup = setup
        self._runs = runs

    def set_train_run_config(
        self, request: SetTrainRunConfigRequest, _call: Call
    ) -> SetTrainRunConfigResponse:
        """Apply a trainrun to the session."""
        has_pipeline = self._setup.apply(request.session_id, request.config.config_bytes)
        return SetTrainRunConfigResponse(success=True, pipeline_from_config=has_pipeline)

    def train(self, request: TrainRequest, call: Call) -> Iterator[TrainResponse]:
        """Begin a training, or attach to the one that runs, and stream its messages."""
        session = self._sessions.read(request.session_id)
        if not session.HasField("pipeline"):
            raise OutOfOrder(
                "The session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
            )
        trainer_type = convert.trainer_type_of(request)
        data_config_json = convert.data_config_json(request, session)
        if data_config_json is not None:
            run = self._runs.start(
                session,
                trainer_type,
                data_config_json=data_config_json,
                training_config_json=convert.training_config_json(request, session),
            )
        else:
            active = self._runs.active(session)
            if active is None:
                raise InvalidInput(
                    "There is no data to train on. Send it as 'data' of the TrainRequest, or in a"
                    " trainrun with SetTrainRunConfig."
                )
            run = attachable(active, trainer_type)
        return self._runs.follow(run.run_id, call.is_active)

    def get_train_status(
        self, request: GetTrainStatusRequest, _call: Call
    ) -> GetTrainStatusResponse:
        """Tell the newest message of the session's newest training."""
        session = self._sessions.read(request.session_id)
        return GetTrainStatusResponse(latest_progress=self._runs.latest(session))
