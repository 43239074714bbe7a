"""Assembles the config service."""

from collections.abc import Callable

from fleet_config.lookup import ConfigLookup
from fleet_config.pipeline_catalogue import PipelineCatalogue
from fleet_config.resolution import ConfigResolver
from fleet_config.servicer import ConfigServicer
from fleet_config.settings import ConfigSettings
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE


def build_service(
    settings: ConfigSettings,
    *,
    sessions: SessionStore,
    on_stop: tuple[Callable[[], object], ...] = (),
    registry: MetricRegistry | None = None,
) -> Service:
    """Return the config service; `on_stop` callbacks run when it has stopped."""
    paths = PathPolicy.from_settings(settings)
    resolver = ConfigResolver(ConfigLookup(paths, paths.configs_dir))
    catalogue = PipelineCatalogue(paths.configs_dir.resolve() / "pipeline")
    servicer = ConfigServicer(sessions, resolver, catalogue, settings.node_packages)
    return Service(
        name="config",
        methods=servicer.handlers(),
        owned=METHODS_BY_SERVICE["config"],
        probes={"redis": sessions.ping},
        on_stop=on_stop,
        registry=registry or MetricRegistry.of_process(),
    )
