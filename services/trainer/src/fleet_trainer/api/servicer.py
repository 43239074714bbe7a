"""The methods of the wire that the trainer answers."""

from collections.abc import Iterator

from opentelemetry import trace

from fleet_platform.errors import OutOfOrder
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry.attributes import RUN_ID
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    GetTrainStatusRequest,
    GetTrainStatusResponse,
    SetTrainRunConfigRequest,
    SetTrainRunConfigResponse,
    StopTrainRequest,
    StopTrainResponse,
    TrainRequest,
    TrainResponse,
)
from fleet_proto.records.v1.records_pb2 import RunRecord, SessionRecord
from fleet_proto.training_key import KEY
from fleet_schemas import canonical_json
from fleet_trainer.api import convert, preconditions
from fleet_trainer.api.splits_file import with_splits_of_file
from fleet_trainer.runs.key import TrainingName
from fleet_trainer.runs.launcher import RunBeginning, attachable
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.trainruns.setup import TrainRunSetup


class TrainerServicer:
    """Converts in, calls the trainer, converts out."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        setup: TrainRunSetup,
        runs: TrainingRuns,
        beginning: RunBeginning,
        paths: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._paths = paths
        self._setup = setup
        self._runs = runs
        self._beginning = beginning

    def set_train_run_config(
        self, request: SetTrainRunConfigRequest, _call: Call
    ) -> SetTrainRunConfigResponse:
        """Apply a trainrun to the session."""
        has_pipeline = self._setup.apply(request.session_id, request.config.config_bytes)
        return SetTrainRunConfigResponse(success=True, pipeline_from_config=has_pipeline)

    def train(self, request: TrainRequest, call: Call) -> Iterator[TrainResponse]:
        """Begin a training, or attach to the one that is meant, and stream its messages."""
        session = self._sessions.read(request.session_id)
        if not session.HasField("pipeline"):
            raise OutOfOrder(
                "The session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
            )
        name = TrainingName.of(call)
        run = self._runs.meant(session, name)
        if run is None:
            run = self._begun(request, session, name.key, call)
        elif request.trainer_type or not name.begun:
            attachable(run, convert.trainer_type_of(request))
        trace.get_current_span().set_attribute(RUN_ID, run.run_id)
        if run.key:
            call.send_initial_metadata(KEY, run.key)
        return self._runs.follow(run.run_id, call.is_active)

    def stop_train(self, request: StopTrainRequest, _call: Call) -> StopTrainResponse:
        """Stop the session's training, or the next one where none runs."""
        message = self._runs.stop(self._sessions.read(request.session_id))
        return StopTrainResponse(accepted=True, message=message)

    def get_train_status(
        self, request: GetTrainStatusRequest, _call: Call
    ) -> GetTrainStatusResponse:
        """Tell where the session's newest training stands."""
        session = self._sessions.read(request.session_id)
        return GetTrainStatusResponse(latest_progress=self._runs.latest(session))

    def _begun(
        self, request: TrainRequest, session: SessionRecord, key: str, call: Call
    ) -> RunRecord:
        trainer_type = convert.trainer_type_of(request)
        data = with_splits_of_file(convert.data_config_of(request, session), session, self._paths)
        training = convert.training_config_json(request, session)
        preconditions.check(trainer_type, session, data, training)
        call.check()
        return self._beginning.begin(
            session,
            trainer_type,
            key,
            data_config_json=canonical_json(data),
            training_config_json=training,
        )
