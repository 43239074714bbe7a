"""Pipelines that stand ready to run."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeoutError
from threading import Lock
from typing import NamedTuple

from fleet_engine import Pipeline
from fleet_platform.errors import Exhausted
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.registry import metrics

_RETRY_AFTER_S = 10


class PipelineKey(NamedTuple):
    """What a pipeline is: equal keys mean equal results.

    Attributes:
        config_digest: of its canonical configuration.
        weights_digest: of its weights artifact; empty: initial weights.
        device: where it lies.
        plugins: digest of the code, and class path, of each class that a plugin provides.
    """

    config_digest: str
    weights_digest: str
    device: str
    plugins: tuple[tuple[str, str], ...] = ()


class PipelineCache:
    """The most recently used pipelines, bounded in bytes and each built once.

    When many calls ask for the same absent pipeline, the first builds it and the others wait. A
    failure is told to those who waited and then forgotten. The pipeline used last stays even when
    it alone exceeds the bound, since it is in memory for its call in any case.
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
        self._in_work: dict[PipelineKey, Future[Pipeline]] = {}
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Memory of the parameters and buffers of all pipelines held."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, key: PipelineKey, build: Callable[[], Pipeline], wait_s: float) -> Pipeline:
        """Return the pipeline of `key`; `build` makes it when nobody did or does.

        Args:
            key: what is wanted.
            build: makes it, in the thread of the first caller.
            wait_s: how long to wait for another caller's build.

        Raises:
            Exhausted: another caller's build took longer than `wait_s`.
        """
        with self._lock:
            pipeline = self._ready.get(key)
            if pipeline is not None:
                self._ready.move_to_end(key)
                self._lookups.labels("hit").inc()
                return pipeline
            future = self._in_work.get(key)
            mine = future is None
            if future is None:
                future = self._in_work[key] = Future()
        self._lookups.labels("miss" if mine else "wait").inc()
        if mine:
            self._build(key, build, future)
        try:
            return future.result(wait_s)
        except WaitTimeoutError:
            raise Exhausted(
                f"The pipeline was still being built after {wait_s:.0f} s; try again in "
                f"{_RETRY_AFTER_S} s.",
                retry_after_s=_RETRY_AFTER_S,
            ) from None
        finally:
            del future  # an error's traceback holds this frame, and the future holds the error

    def clear(self) -> None:
        """Forget all pipelines."""
        with self._lock:
            self._ready.clear()
            self._size_bytes = 0

    def _build(
        self, key: PipelineKey, build: Callable[[], Pipeline], future: "Future[Pipeline]"
    ) -> None:
        try:
            pipeline = build()
        except BaseException as error:
            with self._lock:
                del self._in_work[key]
            future.set_exception(error)
            del future
            return
        with self._lock:
            del self._in_work[key]
            self._keep(key, pipeline)
        future.set_result(pipeline)

    def _keep(self, key: PipelineKey, pipeline: Pipeline) -> None:
        self._ready[key] = pipeline
        self._size_bytes += pipeline.size_bytes
        while self._size_bytes > self._capacity_bytes and len(self._ready) > 1:
            _, oldest = self._ready.popitem(last=False)
            self._size_bytes -= oldest.size_bytes
            self._evicted.inc()
