"""Weights and checkpoints as immutable blobs, named by their content."""

import shutil

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.artifacts.filesystem import FileArtifactStore
from fleet_platform.artifacts.instrumented import InstrumentedArtifactStore
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics

__all__ = [
    "ArtifactStore",
    "FileArtifactStore",
    "InstrumentedArtifactStore",
    "Removed",
    "open_artifact_store",
]


def open_artifact_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None
) -> ArtifactStore:
    """Return the artifact store for the settings, with spans and metrics."""
    registry = registry or MetricRegistry()
    registry.watch(
        metrics.ARTIFACT_FREE_BYTES, lambda: [({}, shutil.disk_usage(settings.artifact_dir).free)]
    )
    return InstrumentedArtifactStore(FileArtifactStore(settings.artifact_dir), registry)
