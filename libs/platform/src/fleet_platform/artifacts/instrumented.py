"""Spans and metrics for an artifact store."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from typing_extensions import Buffer, override

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.telemetry import MetricRegistry, exemplar, tracer
from fleet_platform.telemetry.attributes import ARTIFACT_DIGEST, SIZE_BYTES
from fleet_platform.telemetry.catalogue import metrics, spans

_tracer = tracer(spans.ARTIFACT_PUT.scope)


class InstrumentedArtifactStore(ArtifactStore):
    """Wraps an `ArtifactStore`; records its traffic, durations and failures."""

    def __init__(self, store: ArtifactStore, registry: MetricRegistry) -> None:
        self._store = store
        self._seconds = registry.histogram(metrics.ARTIFACT_SECONDS)
        self._bytes = registry.counter(metrics.ARTIFACT_BYTES)
        self._removed_bytes = registry.counter(metrics.ARTIFACT_REMOVED_BYTES)
        self._errors = registry.counter(metrics.ARTIFACT_ERRORS)

    @override
    def put(self, content: Buffer) -> str:
        size_bytes = memoryview(content).nbytes
        with _tracer.start_as_current_span(spans.ARTIFACT_PUT.name) as span:
            span.set_attribute(SIZE_BYTES, size_bytes)
            with self._timed("put"):
                digest = self._store.put(content)
            span.set_attribute(ARTIFACT_DIGEST, digest)
        self._bytes.labels("put").inc(size_bytes)
        return digest

    @override
    def get(self, digest: str) -> bytes:
        with _tracer.start_as_current_span(spans.ARTIFACT_GET.name) as span:
            span.set_attribute(ARTIFACT_DIGEST, digest)
            with self._timed("get"):
                content = self._store.get(digest)
            span.set_attribute(SIZE_BYTES, len(content))
        self._bytes.labels("get").inc(len(content))
        return content

    @override
    def exists(self, digest: str) -> bool:
        return self._store.exists(digest)

    @override
    def delete(self, digest: str) -> None:
        with self._timed("delete"):
            self._store.delete(digest)

    @override
    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        with self._timed("remove_unused"):
            removed = self._store.remove_unused(used, unstored_s)
        self._removed_bytes.inc(removed.size_bytes)
        return removed

    @override
    def ping(self) -> None:
        self._store.ping()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        started_s = time.perf_counter()
        with self._errors.count_exceptions():
            yield
        self._seconds.labels(operation).observe(time.perf_counter() - started_s, exemplar())
