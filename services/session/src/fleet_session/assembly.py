"""Assembles the session service."""

from collections.abc import Callable

from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service
from fleet_platform.sessions import SessionStore
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_session.gateway_health import GatewayHealth
from fleet_session.gateway_health_servicer import GatewayHealthHandler, UpstreamHealth
from fleet_session.git_clones import GitClones
from fleet_session.plugin_registry import PluginRegistry
from fleet_session.plugin_servicer import PluginServicer
from fleet_session.plugin_sources import PluginSources
from fleet_session.servicer import SessionServicer
from fleet_session.session_lifecycle import SessionLifecycle
from fleet_session.settings import SessionSettings


def build_service(
    settings: SessionSettings,
    *,
    sessions: SessionStore,
    artifacts: ArtifactStore,
    on_stop: tuple[Callable[[], object], ...] = (),
    registry: MetricRegistry | None = None,
) -> Service:
    """Return the session service; `on_stop` callbacks run after its own."""
    paths = PathPolicy.from_settings(settings)
    servicer = SessionServicer(SessionLifecycle(sessions, paths))
    clones = GitClones(settings.plugin_dir.absolute())
    sources = PluginSources(
        paths=paths, artifacts=artifacts, allowed=settings.plugins, clones=clones
    )
    plugins = PluginServicer(PluginRegistry(sessions, sources), clones)
    generic_handlers: tuple[GatewayHealthHandler, ...] = ()
    if settings.gateway_address is not None:
        upstream = UpstreamHealth(settings.gateway_address)
        generic_handlers = (GatewayHealthHandler(GatewayHealth(upstream.ask_all)),)
        on_stop = (generic_handlers[0].close, upstream.close, *on_stop)
    return Service(
        name="session",
        methods={**servicer.handlers(), **plugins.handlers()},
        owned=METHODS_BY_SERVICE["session"],
        probes={"redis": sessions.ping},
        generic_handlers=generic_handlers,
        on_stop=on_stop,
        registry=registry or MetricRegistry.of_process(),
    )
