"""Writes a session's trainrun to files.

The two published generations read different files, and neither reads the other's: the older one
wants the pipeline inline and `training.trainer`, the newer one a path and flat settings. So the
form of the session's own configs decides, as whoever sent them is who reads the files:

- older: ``<stem>.yaml`` with the pipeline inline; weights ``<stem>.pt``.
- newer, when a config of the session has keys of that form alone: ``<stem>_pipeline.yaml``, named
  by ``<stem>.yaml``; weights ``<stem>_pipeline.pt``.

RestoreTrainRun reads both.
"""

import json
from typing import Any

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.plugins import PluginLoader
from fleet_engine.saved_files import write_saved, yaml_target
from fleet_engine.weights import open_stored, write_published
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import OutOfOrder
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import PipelineConfig, TrainRunConfig, parse_config, validate_config
from fleet_trainer.trainruns.saved_trainrun import SavedTrainRun


class TrainRunSaving:
    """``SaveTrainRun``."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        paths: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._plugins = plugins
        self._paths = paths

    def save(self, session_id: str, path: str, *, with_weights: bool) -> SavedTrainRun:
        """Write the files, each in one step, the trainrun last.

        A session to which no trainrun was applied gives one without losses and metrics, on the data
        that it was trained on last; an empty path stands for data that it never had.

        Args:
            session_id: whose trainrun.
            path: of the trainrun, as the client sent it; ``.yaml`` may be left out.
            with_weights: whether the weights are written as well, fitted or not.

        Raises:
            NotFound: unknown session.
            InvalidInput: no path, or one outside the output folder.
            OutOfOrder: no pipeline.
            Exhausted: memory, or space on the volume, is used up.
            DependencyDown: the volume cannot be written.
        """
        session = self._sessions.read(session_id)
        yaml_path = yaml_target(path, "trainrun_path", self._paths)
        if not session.HasField("pipeline"):
            raise OutOfOrder(
                "The session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
            )
        pipeline = parse_config(PipelineConfig, session.pipeline.config_json, "pipeline")
        trainrun = _trainrun_of(session, pipeline)
        weights = self._weights(session, trainrun.name) if with_weights else None
        if not _is_newer_form(trainrun, pipeline):
            inline = trainrun.model_copy(update={"pipeline": pipeline})
            write_saved(yaml_path, inline, weights)
            return SavedTrainRun(
                yaml_path, None, None if weights is None else yaml_path.with_suffix(".pt")
            )
        pipeline_path = yaml_target(
            str(yaml_path.with_name(f"{yaml_path.stem}_pipeline.yaml")),
            "trainrun_path",
            self._paths,
        )
        write_saved(pipeline_path, pipeline, weights)
        write_saved(yaml_path, trainrun.model_copy(update={"pipeline": pipeline_path.name}))
        return SavedTrainRun(
            yaml_path, pipeline_path, None if weights is None else pipeline_path.with_suffix(".pt")
        )

    def _weights(self, session: SessionRecord, name: str) -> bytes:
        pipeline = open_stored(session.pipeline, self._artifacts, self._plugins)
        metadata = pipeline.config.metadata
        with map_out_of_memory("Saving the weights"):
            return write_published(
                pipeline, {"name": name, "created": metadata.created if metadata else ""}
            )


def _trainrun_of(session: SessionRecord, pipeline: PipelineConfig) -> TrainRunConfig:
    """The session's trainrun without its pipeline, with the newest data and training settings."""
    if session.trainrun_config_json:
        stored: dict[str, Any] = json.loads(session.trainrun_config_json)
    else:
        title = pipeline.metadata.name if pipeline.metadata else ""
        stored = {"name": title or "trainrun", "data": {"cu3s_file_path": ""}, "training": {}}
    if session.data_config_json:
        stored["data"] = json.loads(session.data_config_json)
    if session.training_config_json:
        stored["training"] = json.loads(session.training_config_json)
    return validate_config(TrainRunConfig, stored, "trainrun")


def _is_newer_form(trainrun: TrainRunConfig, pipeline: PipelineConfig) -> bool:
    """Whether a config has keys that only the newer generation writes."""
    training = trainrun.training.to_dict() if trainrun.training else {}
    flat = "accelerator" in training and "trainer" not in training
    return flat or "data_module" in trainrun.data.to_dict() or pipeline.plugins is not None
