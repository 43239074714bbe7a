"""Runs the session service: ``python -m fleet_session``."""

import sys
from collections.abc import Callable

from fleet_platform.artifacts import ArtifactStore, open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service, run_service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import SessionStore, open_session_store
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_session.gateway_health import GatewayHealth
from fleet_session.git_clones import GitClones
from fleet_session.health_servicer import GatewayHealthHandler, UpstreamHealth
from fleet_session.plugin_registry import PluginRegistry
from fleet_session.plugin_servicer import PluginServicer
from fleet_session.plugin_sources import PluginSources
from fleet_session.servicer import SessionServicer
from fleet_session.session_life import SessionLife
from fleet_session.settings import SessionSettings
from fleet_session.unused_artifacts import UnusedArtifacts


def build_service(
    settings: SessionSettings,
    sessions: SessionStore,
    artifacts: ArtifactStore,
    on_stop: tuple[Callable[[], object], ...] = (),
    registry: MetricRegistry | None = None,
) -> Service:
    """Compose the service from its parts; `on_stop` callbacks run after its own."""
    policy = PathPolicy.from_settings(settings)
    servicer = SessionServicer(SessionLife(sessions, policy))
    clones = GitClones(settings.plugin_dir.absolute())
    sources = PluginSources(
        policy=policy, artifacts=artifacts, allowed=settings.plugins, clones=clones
    )
    plugins = PluginServicer(PluginRegistry(sessions, sources), clones)
    handlers: tuple[GatewayHealthHandler, ...] = ()
    if settings.gateway_address is not None:
        upstream = UpstreamHealth(settings.gateway_address)
        handlers = (GatewayHealthHandler(GatewayHealth(upstream.ask_all)),)
        on_stop = (handlers[0].close, upstream.close, *on_stop)
    return Service(
        name="session",
        methods={
            "CreateSession": servicer.create_session,
            "CloseSession": servicer.close_session,
            "SetSessionSearchPaths": servicer.set_session_search_paths,
            **plugins.handlers(),
        },
        owned=METHODS_BY_SERVICE["session"],
        probes={"redis": sessions.ping},
        generic_handlers=handlers,
        on_stop=on_stop,
        registry=registry or MetricRegistry.of_process(),
    )


def main() -> int:
    """Run until told to stop."""
    settings = SessionSettings()
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry, counted=True)
    artifacts = open_artifact_store(settings, registry)
    runs = open_run_store(settings, registry)
    unused = UnusedArtifacts(
        sessions=sessions, runs=runs, artifacts=artifacts, kept_s=settings.artifact_kept_s
    )
    on_stop = (unused.close, runs.close, sessions.close)
    service = build_service(settings, sessions, artifacts, on_stop, registry)
    unused.start()
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
