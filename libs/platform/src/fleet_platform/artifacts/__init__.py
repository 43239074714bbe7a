"""Weights and checkpoints as immutable blobs, named by their content."""

import shutil

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.artifacts.filesystem import FileArtifactStore
from fleet_platform.artifacts.measured import MeasuredArtifactStore
from fleet_platform.artifacts.traced import TracedArtifactStore
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.registry import metrics

__all__ = [
    "ArtifactStore",
    "FileArtifactStore",
    "MeasuredArtifactStore",
    "Removed",
    "TracedArtifactStore",
    "open_artifact_store",
]


def open_artifact_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None
) -> ArtifactStore:
    """The artifact store of the settings, traced and measured."""
    registry = registry or MetricRegistry()
    registry.watch(
        metrics.ARTIFACT_FREE_BYTES, lambda: [({}, shutil.disk_usage(settings.artifact_dir).free)]
    )
    files = MeasuredArtifactStore(FileArtifactStore(settings.artifact_dir), registry)
    return TracedArtifactStore(files)
