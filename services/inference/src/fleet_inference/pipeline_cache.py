"""An LRU cache of materialised pipelines."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from fleet_engine import Pipeline
from fleet_platform.errors import Exhausted
from fleet_platform.single_flight import SingleFlight
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics

_RETRY_AFTER_S = 10


class PipelineKey(NamedTuple):
    """The identity of a pipeline: equal keys mean equal results.

    Attributes:
        config_digest: digest of its canonical configuration.
        weights_digest: digest of its weights artifact; empty: initial weights.
        device: device that its weights are on.
        plugins: digest of the code, and class path, of each class that a plugin provides.
    """

    config_digest: str
    weights_digest: str
    device: str
    plugins: tuple[tuple[str, str], ...] = ()


class PipelineCache:
    """An LRU cache of pipelines with a size limit in bytes; each pipeline is built once.

    When many calls need the same absent pipeline, the first builds it and the others wait. All of
    them receive a failure, which is not cached. The most recently used pipeline is kept even if it
    alone exceeds the limit, since its call keeps it in memory anyway.
    """

    def __init__(self, capacity_bytes: int, registry: MetricRegistry | None = None) -> None:
        self._capacity_bytes = capacity_bytes
        registry = registry or MetricRegistry()
        self._lookups = registry.counter(metrics.PIPELINE_LOOKUPS)
        self._evicted = registry.counter(metrics.PIPELINES_EVICTED)
        registry.watch(metrics.PIPELINES_READY, lambda: [({}, len(self))])
        registry.watch(metrics.PIPELINES_BYTES, lambda: [({}, self._size_bytes)])
        registry.watch(metrics.PIPELINES_CAPACITY_BYTES, lambda: [({}, capacity_bytes)])
        self._lock = Lock()
        self._ready: OrderedDict[PipelineKey, Pipeline] = OrderedDict()
        self._builds: SingleFlight[PipelineKey, Pipeline] = SingleFlight()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Memory of the parameters and buffers of all cached pipelines."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, key: PipelineKey, build: Callable[[], Pipeline], wait_s: float) -> Pipeline:
        """Return the pipeline for `key`, building it if it is absent.

        Args:
            key: identity of the pipeline.
            build: builds it, in the thread of the first caller.
            wait_s: longest wait for another caller's build, in seconds.

        Raises:
            Exhausted: another caller's build took longer than `wait_s`.
        """

        def build_once() -> Pipeline:
            # Another caller's build may have finished since the look-up.
            ready = self._find(key)
            if ready is not None:
                return ready
            self._lookups.labels("miss").inc()
            return self._keep(key, build())

        ready = self._find(key)
        if ready is not None:
            return ready
        on_wait = self._lookups.labels("wait").inc
        try:
            return self._builds.run(key, build_once, wait_s=wait_s, on_wait=on_wait)
        except TimeoutError:
            raise Exhausted(
                f"The pipeline was still being built after {wait_s:.0f} s; try again in "
                f"{_RETRY_AFTER_S} s.",
                retry_after_s=_RETRY_AFTER_S,
            ) from None

    def clear(self) -> None:
        """Drop all pipelines."""
        with self._lock:
            self._ready.clear()
            self._size_bytes = 0

    def _find(self, key: PipelineKey) -> Pipeline | None:
        with self._lock:
            pipeline = self._ready.get(key)
            if pipeline is not None:
                self._ready.move_to_end(key)
                self._lookups.labels("hit").inc()
            return pipeline

    def _keep(self, key: PipelineKey, pipeline: Pipeline) -> Pipeline:
        with self._lock:
            self._ready[key] = pipeline
            self._size_bytes += pipeline.size_bytes
            while self._size_bytes > self._capacity_bytes and len(self._ready) > 1:
                _, oldest = self._ready.popitem(last=False)
                self._size_bytes -= oldest.size_bytes
                self._evicted.inc()
        return pipeline
