"""Artifact traffic as spans."""

from collections.abc import Collection

from typing_extensions import Buffer

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.attributes import ARTIFACT_DIGEST, SIZE_BYTES
from fleet_platform.telemetry.registry import spans

_tracer = tracer(spans.ARTIFACT_PUT.scope)


class TracedArtifactStore:
    """An `ArtifactStore` that shows what another one moves, and how long that takes."""

    def __init__(self, inner: ArtifactStore) -> None:
        self._inner = inner

    def put(self, content: Buffer) -> str:
        """See `ArtifactStore.put`."""
        with _tracer.start_as_current_span(spans.ARTIFACT_PUT.name) as span:
            span.set_attribute(SIZE_BYTES, memoryview(content).nbytes)
            digest = self._inner.put(content)
            span.set_attribute(ARTIFACT_DIGEST, digest)
            return digest

    def get(self, digest: str) -> bytes:
        """See `ArtifactStore.get`."""
        with _tracer.start_as_current_span(spans.ARTIFACT_GET.name) as span:
            span.set_attribute(ARTIFACT_DIGEST, digest)
            content = self._inner.get(digest)
            span.set_attribute(SIZE_BYTES, len(content))
            return content

    def exists(self, digest: str) -> bool:
        """See `ArtifactStore.exists`."""
        return self._inner.exists(digest)

    def delete(self, digest: str) -> None:
        """See `ArtifactStore.delete`."""
        self._inner.delete(digest)

    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        """See `ArtifactStore.remove_unused`."""
        return self._inner.remove_unused(used, unstored_s)

    def ping(self) -> None:
        """See `ArtifactStore.ping`."""
        self._inner.ping()
