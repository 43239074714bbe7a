"""The methods of the wire that write and read trainruns as files."""

from fleet_platform.rpc import Call
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    RestoreTrainRunRequest,
    RestoreTrainRunResponse,
    SaveTrainRunRequest,
    SaveTrainRunResponse,
    TrainRunConfig,
)
from fleet_trainer.trainruns.restoring import TrainRunRestoring
from fleet_trainer.trainruns.saving import TrainRunSaving


class TrainRunFilesServicer:
    """Converts in, calls the trainer, converts out."""

    def __init__(self, *, saving: TrainRunSaving, restoring: TrainRunRestoring) -> None:
        self._saving = saving
        self._restoring = restoring

    def save_train_run(self, request: SaveTrainRunRequest, _call: Call) -> SaveTrainRunResponse:
        """Write the session's trainrun and, if asked for, its weights."""
        saved = self._saving.save(
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
        """Make a file's trainrun that of a new session, or of the one that is named."""
        restored = self._restoring.restore(
            request.trainrun_path,
            weights_path=request.weights_path,
            strict=request.strict if request.HasField("strict") else True,
            session_id=request.session_id,
        )
        return RestoreTrainRunResponse(
            session_id=restored.session_id,
            trainrun=TrainRunConfig(config_bytes=restored.config_json),
        )
