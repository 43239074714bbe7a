"""Writes a session's pipeline as the published pair of files."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import yaml

from fleet_engine.weights import write_published
from fleet_inference.device_memory import memory_bound
from fleet_inference.materialiser import Materialiser
from fleet_inference.session_pipeline import require_pipeline
from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy, write_atomically
from fleet_platform.sessions import SessionStore
from fleet_platform.shown_text import shown
from fleet_schemas import PipelineMetadata

_YAML_SUFFIXES = (".yaml", ".yml")


class Saving:
    """``SavePipeline``."""

    def __init__(
        self, *, sessions: SessionStore, materialiser: Materialiser, paths: PathPolicy
    ) -> None:
        self._sessions = sessions
        self._materialiser = materialiser
        self._paths = paths

    def save_pipeline(
        self, session_id: str, path: str, metadata: PipelineMetadata
    ) -> tuple[Path, Path]:
        """Write ``<stem>.yaml`` and ``<stem>.pt``, each in one step, the weights first.

        Args:
            session_id: whose pipeline.
            path: of the YAML file, as the client sent it; ``.yaml`` may be left out.
            metadata: replaces that of the loaded configuration; empty fields get defaults.

        Returns:
            The absolute paths of both files.

        Raises:
            NotFound: unknown session.
            InvalidInput: no path, or one outside the output folder.
            OutOfOrder: no pipeline.
            Exhausted: no space is left.
            DependencyDown: the volume cannot be written.
        """
        stored = require_pipeline(self._sessions.read(session_id))
        if not path.strip():
            raise InvalidInput("pipeline_path is empty; name the YAML file to write.")
        if path.rpartition("/")[2] in {"", ".", ".."}:
            raise InvalidInput(f"pipeline_path '{shown(path)}' names a folder; name a file.")
        yaml_path = self._paths.writable(_with_yaml_suffix(path))
        weights_path = yaml_path.with_suffix(".pt")
        pipeline = self._materialiser.private(stored)
        metadata = _complete(metadata, yaml_path.stem)
        config = pipeline.config.model_copy(update={"metadata": metadata})
        with memory_bound("Saving the pipeline"):
            weights = write_published(pipeline, metadata.to_dict())
        text = yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True)
        write_atomically(weights_path, weights)
        write_atomically(yaml_path, text.encode())
        return yaml_path, weights_path


def _with_yaml_suffix(path: str) -> str:
    return path if path.lower().endswith(_YAML_SUFFIXES) else f"{path}.yaml"


def _complete(metadata: PipelineMetadata, stem: str) -> PipelineMetadata:
    return metadata.model_copy(
        update={
            "name": metadata.name or stem,
            "created": metadata.created or datetime.now(UTC).isoformat(timespec="seconds"),
            "cuvis_ai_version": metadata.cuvis_ai_version or version("cuvis-fleet-inference"),
        }
    )
