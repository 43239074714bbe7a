"""Writes a session's trainrun to files.

The two published generations read different files, and neither reads the other's: the older one
expects the pipeline inline and `training.trainer`, the newer one a path and flat settings. The form
of the session's own configs decides, since the client that sent them will read the files:

- older: ``<stem>.yaml`` with the pipeline inline; weights ``<stem>.pt``.
- newer, if a config of the session has keys that only that form has: ``<stem>_pipeline.yaml``,
  named by ``<stem>.yaml``; weights ``<stem>_pipeline.pt``.

RestoreTrainRun reads both.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.plugins import PluginLoader
from fleet_engine.saved_files import write_saved, yaml_target
from fleet_engine.weights import open_stored, write_published
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import PipelineConfig, TrainRunConfig, parse_config, validate_config


@dataclass(frozen=True, slots=True)
class SavedTrainRun:
    """Absolute paths of the files that were written.

    Attributes:
        trainrun_path: The trainrun.
        pipeline_path: The pipeline, if the form has a separate file for it; else None.
        weights_path: The weights, if requested; else None.
    """

    trainrun_path: Path
    pipeline_path: Path | None
    weights_path: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRunSaving:
    """Implements ``SaveTrainRun``."""

    sessions: SessionStore
    artifacts: ArtifactStore
    plugins: PluginLoader
    paths: PathPolicy

    def save(self, session_id: str, path: str, *, with_weights: bool) -> SavedTrainRun:
        """Write the files, each atomically, the trainrun last.

        If no trainrun was applied to the session, the written one has no losses and metrics, and
        the data of the latest training, or an empty path if there was none.

        Args:
            session_id: The session.
            path: Path of the trainrun as the client sent it; ``.yaml`` may be left out.
            with_weights: Whether to write the weights as well, fitted or not.

        Raises:
            NotFound: the session does not exist.
            InvalidInput: the path is missing or outside the output folder.
            OutOfOrder: the session has no pipeline.
            Exhausted: memory, or space on the volume, is exhausted.
            DependencyDown: the volume cannot be written.
        """
        session = self.sessions.read(session_id)
        yaml_path = yaml_target(path, "trainrun_path", self.paths)
        stored = require_pipeline(session)
        pipeline = parse_config(PipelineConfig, stored.config_json, "pipeline")
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
            self.paths,
        )
        write_saved(pipeline_path, pipeline, weights)
        write_saved(yaml_path, trainrun.model_copy(update={"pipeline": pipeline_path.name}))
        return SavedTrainRun(
            yaml_path, pipeline_path, None if weights is None else pipeline_path.with_suffix(".pt")
        )

    def _weights(self, session: SessionRecord, name: str) -> bytes:
        pipeline = open_stored(session.pipeline, self.artifacts, self.plugins)
        metadata = pipeline.config.metadata
        with map_out_of_memory("Saving the weights"):
            return write_published(
                pipeline, {"name": name, "created": metadata.created if metadata else ""}
            )


def _trainrun_of(session: SessionRecord, pipeline: PipelineConfig) -> TrainRunConfig:
    """Return the trainrun without its pipeline, with the newest data and training settings."""
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
    """Return whether a config has keys that only the newer generation writes."""
    training = trainrun.training.to_dict() if trainrun.training else {}
    flat = "accelerator" in training and "trainer" not in training
    return flat or "data_module" in trainrun.data.to_dict() or pipeline.plugins is not None
