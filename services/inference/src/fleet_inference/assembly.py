"""Assembles the inference service."""

from collections.abc import Callable

from fleet_engine import allow_node_packages
from fleet_engine.device import choose_device
from fleet_engine.gpu_memory import watch_gpu_memory
from fleet_engine.plugins import PluginLoader
from fleet_inference.drawing import Drawing
from fleet_inference.graphviz import Graphviz
from fleet_inference.inference import Inference
from fleet_inference.inputs import allow_read_only_views
from fleet_inference.loading import Loading
from fleet_inference.materialiser import Materialiser
from fleet_inference.node_listing import NodeListing
from fleet_inference.profiling import Profiling
from fleet_inference.saving import Saving
from fleet_inference.servicer import CODECS, InferenceServicer
from fleet_inference.settings import InferenceSettings
from fleet_inference.shared_memory import SharedMemory
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.profiling import ProfilingStore
from fleet_platform.rpc import Service
from fleet_platform.runs import RunStore
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE


def build_service(
    settings: InferenceSettings,
    *,
    sessions: SessionStore,
    runs: RunStore,
    artifacts: ArtifactStore,
    timings: ProfilingStore,
    on_stop: tuple[Callable[[], object], ...] = (),
    registry: MetricRegistry | None = None,
) -> Service:
    """Return the inference service.

    Args:
        settings: its settings.
        sessions: the session store.
        runs: the run store.
        artifacts: the artifact store.
        timings: the store of node timings.
        on_stop: callbacks to run after the service's own when it has stopped.
        registry: the registry that has the stores' metrics.

    Raises:
        ValueError: this machine does not have the device that the settings name.
    """
    allow_read_only_views()
    allow_node_packages(settings.node_packages)
    plugins = PluginLoader(artifacts, allowed=settings.plugins != "off")
    registry = registry or MetricRegistry.of_process()
    watch_gpu_memory(registry)
    paths = PathPolicy.from_settings(settings)
    materialiser = Materialiser(
        artifacts,
        plugins,
        choose_device(settings.device),
        settings.pipeline_cache_bytes,
        registry,
    )
    profiling = Profiling(sessions=sessions, timings=timings)
    shared = SharedMemory(enabled=settings.shared_memory, limit_bytes=settings.grpc_max_msg_size)
    servicer = InferenceServicer(
        loading=Loading(
            sessions=sessions,
            runs=runs,
            artifacts=artifacts,
            materialiser=materialiser,
            paths=paths,
        ),
        saving=Saving(sessions=sessions, materialiser=materialiser, paths=paths),
        inference=Inference(
            sessions=sessions,
            materialiser=materialiser,
            profiling=profiling,
            shared=shared,
            reply_limit_bytes=settings.grpc_max_msg_size,
            registry=registry,
        ),
        profiling=profiling,
        drawing=Drawing(sessions=sessions, graphviz=Graphviz()),
        listing=NodeListing(sessions=sessions, plugins=plugins),
    )
    return Service(
        name="inference",
        methods=servicer.handlers(),
        owned=METHODS_BY_SERVICE["inference"],
        codecs=CODECS,
        probes={"redis": sessions.ping, "artifacts": artifacts.ping},
        on_stop=(materialiser.close, *on_stop),
        registry=registry,
    )
