"""Runs the session service: ``python -m fleet_session``."""

import sys

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.rpc import run_service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry
from fleet_session.artifact_garbage_collector import ArtifactGarbageCollector
from fleet_session.assembly import build_service
from fleet_session.settings import SessionSettings


def main() -> int:
    """Serve until a signal stops the process; return the exit status."""
    settings = SessionSettings()
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry, counted=True)
    artifacts = open_artifact_store(settings, registry)
    runs = open_run_store(settings, registry)
    collector = ArtifactGarbageCollector(
        sessions=sessions, runs=runs, artifacts=artifacts, kept_s=settings.artifact_kept_s
    )
    service = build_service(
        settings,
        sessions=sessions,
        artifacts=artifacts,
        on_stop=(collector.close, runs.close, sessions.close),
        registry=registry,
    )
    collector.start()
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
