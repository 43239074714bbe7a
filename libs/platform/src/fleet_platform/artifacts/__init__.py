"""Weights and checkpoints as immutable blobs, named by their content."""

from fleet_platform.artifacts.artifact_store import ArtifactStore
from fleet_platform.artifacts.filesystem import FileArtifactStore
from fleet_platform.artifacts.memory import MemoryArtifactStore
from fleet_platform.artifacts.traced import TracedArtifactStore
from fleet_platform.settings import ServiceSettings

__all__ = [
    "ArtifactStore",
    "FileArtifactStore",
    "MemoryArtifactStore",
    "TracedArtifactStore",
    "open_artifact_store",
]


def open_artifact_store(settings: ServiceSettings) -> ArtifactStore:
    """The artifact store of the settings, traced."""
    return TracedArtifactStore(FileArtifactStore(settings.artifact_dir))
