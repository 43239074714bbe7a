"""Builds runnable pipelines from session records."""

import time

import torch

from fleet_engine import Pipeline
from fleet_engine.out_of_memory import map_out_of_memory, release_cached_memory
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import open_stored
from fleet_inference.pipeline_cache import PipelineCache, PipelineKey
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.rpc import Call
from fleet_platform.telemetry import MetricRegistry, attributes, exemplar, logger, tracer
from fleet_platform.telemetry.catalogue import metrics, spans
from fleet_proto.records.v1 import records_pb2 as records

_MAX_WAIT_S = 120.0

_log = logger("fleet.inference")
_tracer = tracer(spans.MATERIALISE.scope)


class Materialiser:
    """Builds pipelines on one device and caches the most recently used ones."""

    def __init__(
        self,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        device: torch.device,
        cache_size_bytes: int,
        registry: MetricRegistry | None = None,
    ) -> None:
        """Create a materialiser with an empty cache.

        Args:
            artifacts: the store of weights.
            plugins: imports the classes of plugins.
            device: the device to put the pipelines on.
            cache_size_bytes: limit for the parameters and buffers of the cached pipelines.
            registry: has the cache's metrics.
        """
        registry = registry or MetricRegistry()
        self._artifacts = artifacts
        self._plugins = plugins
        self._cache = PipelineCache(cache_size_bytes, registry)
        self._seconds = registry.histogram(metrics.MATERIALISE_SECONDS)
        self._device = device
        self._device_name = str(device)

    def get(self, stored: records.Pipeline, call: Call) -> Pipeline:
        """Return the shared pipeline, which must not be modified; build it if it is not cached.

        Raises:
            InvalidInput: the configuration is not a valid graph.
            NotFound: the weights artifact no longer exists.
            Exhausted: the pipeline does not fit into memory, or another call took too long to
                build it.
            Cancelled, DeadlinePassed: the caller is no longer waiting.
        """
        key = PipelineKey(
            stored.config_digest, stored.weights_digest, self._device_name, _classes_of(stored)
        )
        call.check()
        try:
            return self._cache.get(
                key, lambda: self._build(stored, self._device), call.max_wait_s(_MAX_WAIT_S)
            )
        finally:
            call.check()

    def private(self, stored: records.Pipeline) -> Pipeline:
        """Build a separate copy on the CPU, to load weights into or to save.

        Raises:
            InvalidInput, NotFound, Exhausted: as `get` does.
        """
        return self._build(stored, torch.device("cpu"))

    def close(self) -> None:
        """Release all pipelines and their memory."""
        self._cache.clear()
        release_cached_memory()

    def _build(self, stored: records.Pipeline, device: torch.device) -> Pipeline:
        with (
            _tracer.start_as_current_span(spans.MATERIALISE.name) as span,
            map_out_of_memory("The pipeline"),
        ):
            began_s = time.perf_counter()
            pipeline = open_stored(stored, self._artifacts, self._plugins)
            pipeline.to(device)
            self._seconds.observe(time.perf_counter() - began_s, exemplar())
            span.set_attributes(
                {
                    attributes.NODES: len(pipeline.nodes),
                    attributes.SIZE_BYTES: pipeline.size_bytes,
                    attributes.DEVICE: str(device),
                    attributes.CONFIG_DIGEST: stored.config_digest,
                    attributes.WEIGHTS_DIGEST: stored.weights_digest,
                }
            )
            _log.info(
                "pipeline.materialised", nodes=len(pipeline.nodes), size_bytes=pipeline.size_bytes
            )
            return pipeline


def _classes_of(stored: records.Pipeline) -> tuple[tuple[str, str], ...]:
    return tuple(
        (plugin.code_digest, path) for plugin in stored.plugins for path in plugin.class_paths
    )
