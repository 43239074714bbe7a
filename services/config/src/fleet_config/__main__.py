"""Runs the config service: ``python -m fleet_config``."""

import sys

from fleet_config.assembly import build_service
from fleet_config.settings import ConfigSettings
from fleet_platform.rpc import run_service
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry


def main() -> int:
    """Serve until a signal stops the process; return the exit status."""
    settings = ConfigSettings()
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry)
    service = build_service(
        settings, sessions=sessions, on_stop=(sessions.close,), registry=registry
    )
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
