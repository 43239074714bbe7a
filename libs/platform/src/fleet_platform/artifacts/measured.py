"""Artifact traffic as metrics."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from typing_extensions import Buffer

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.telemetry import MetricRegistry, exemplar
from fleet_platform.telemetry.registry import metrics


class MeasuredArtifactStore:
    """An `ArtifactStore` that counts what another one moves, how long that takes, what fails."""

    def __init__(self, inner: ArtifactStore, registry: MetricRegistry) -> None:
        self._inner = inner
        self._seconds = registry.histogram(metrics.ARTIFACT_SECONDS)
        self._bytes = registry.counter(metrics.ARTIFACT_BYTES)
        self._removed_bytes = registry.counter(metrics.ARTIFACT_REMOVED_BYTES)
        self._errors = registry.counter(metrics.ARTIFACT_ERRORS)

    def put(self, content: Buffer) -> str:
        """See `ArtifactStore.put`."""
        with self._timed("put"):
            digest = self._inner.put(content)
        self._bytes.labels("put").inc(memoryview(content).nbytes)
        return digest

    def get(self, digest: str) -> bytes:
        """See `ArtifactStore.get`."""
        with self._timed("get"):
            content = self._inner.get(digest)
        self._bytes.labels("get").inc(len(content))
        return content

    def exists(self, digest: str) -> bool:
        """See `ArtifactStore.exists`."""
        return self._inner.exists(digest)

    def delete(self, digest: str) -> None:
        """See `ArtifactStore.delete`."""
        with self._timed("delete"):
            self._inner.delete(digest)

    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        """See `ArtifactStore.remove_unused`."""
        with self._timed("remove_unused"):
            removed = self._inner.remove_unused(used, unstored_s)
        self._removed_bytes.inc(removed.size_bytes)
        return removed

    def ping(self) -> None:
        """See `ArtifactStore.ping`."""
        self._inner.ping()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began_s = time.perf_counter()
        with self._errors.count_exceptions():
            yield
        self._seconds.labels(operation).observe(time.perf_counter() - began_s, exemplar())
