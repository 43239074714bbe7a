"""Saves a session's pipeline as the published pair of files."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.saved_files import write_saved, yaml_target
from fleet_engine.weights import write_published
from fleet_inference.materialiser import Materialiser
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_schemas import PipelineMetadata


class Saving:
    """Implements ``SavePipeline``."""

    def __init__(
        self, *, sessions: SessionStore, materialiser: Materialiser, paths: PathPolicy
    ) -> None:
        self._sessions = sessions
        self._materialiser = materialiser
        self._paths = paths

    def save_pipeline(
        self, session_id: str, path: str, metadata: PipelineMetadata
    ) -> tuple[Path, Path]:
        """Write ``<stem>.pt`` and then ``<stem>.yaml``, each atomically.

        Args:
            session_id: the session.
            path: path of the YAML file, as the client sent it; ``.yaml`` may be omitted.
            metadata: replaces that of the loaded configuration; empty fields get defaults.

        Returns:
            The absolute paths of both files.

        Raises:
            NotFound: unknown session.
            InvalidInput: the path is empty or outside the output folder.
            OutOfOrder: no pipeline.
            Exhausted: the volume is full.
            DependencyDown: the volume cannot be written.
        """
        stored = require_pipeline(self._sessions.read(session_id))
        yaml_path = yaml_target(path, "pipeline_path", self._paths)
        pipeline = self._materialiser.private(stored)
        metadata = _complete(metadata, yaml_path.stem)
        config = pipeline.config.model_copy(update={"metadata": metadata})
        with map_out_of_memory("Saving the pipeline"):
            weights = write_published(pipeline, metadata.to_dict())
        write_saved(yaml_path, config, weights)
        return yaml_path, yaml_path.with_suffix(".pt")


def _complete(metadata: PipelineMetadata, stem: str) -> PipelineMetadata:
    return metadata.model_copy(
        update={
            "name": metadata.name or stem,
            "created": metadata.created or datetime.now(UTC).isoformat(timespec="seconds"),
            "cuvis_ai_version": metadata.cuvis_ai_version or version("cuvis-fleet-inference"),
        }
    )
