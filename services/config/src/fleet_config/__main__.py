"""Runs the config service: ``python -m fleet_config``."""

import sys
from collections.abc import Callable

from fleet_config.lookup import ConfigLookup
from fleet_config.pipeline_catalogue import PipelineCatalogue
from fleet_config.resolution import ConfigResolver
from fleet_config.servicer import ConfigServicer
from fleet_config.settings import ConfigSettings
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service, run_service
from fleet_platform.sessions import SessionStore, open_session_store
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE


def build_service(
    settings: ConfigSettings,
    sessions: SessionStore,
    on_stop: tuple[Callable[[], object], ...] = (),
    registry: MetricRegistry | None = None,
) -> Service:
    """Compose the service from its parts."""
    policy = PathPolicy.from_settings(settings)
    resolver = ConfigResolver(ConfigLookup(policy, policy.configs_dir))
    catalogue = PipelineCatalogue(policy.configs_dir.resolve() / "pipeline")
    servicer = ConfigServicer(sessions, resolver, catalogue, settings.node_packages)
    return Service(
        name="config",
        methods=servicer.handlers(),
        owned=METHODS_BY_SERVICE["config"],
        probes={"redis": sessions.ping},
        on_stop=on_stop,
        registry=registry or MetricRegistry.of_process(),
    )


def main() -> int:
    """Run until told to stop."""
    settings = ConfigSettings()
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry)
    service = build_service(settings, sessions, (sessions.close,), registry)
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
