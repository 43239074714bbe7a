"""Runs the inference service: ``python -m fleet_inference``.

There are two processes: an idle parent with torch imported, and a child forked from it that serves.
If the child is killed, the parent replaces it immediately.
"""

import sys
from functools import partial

import torch

from fleet_engine import set_tile_threads
from fleet_inference.assembly import build_service
from fleet_inference.settings import InferenceSettings
from fleet_platform.artifacts import open_artifact_store
from fleet_platform.fork_server import ForkServer, with_chosen_ports
from fleet_platform.profiling import open_profiling_store
from fleet_platform.rpc import run_service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry, configure_logs


def main() -> int:
    """Serve until a signal stops the process; return the exit status."""
    settings = with_chosen_ports(InferenceSettings())
    configure_logs("inference", settings)
    return ForkServer(partial(_serve, settings)).run()


def _serve(settings: InferenceSettings) -> int:
    # Each thread processes whole tiles. Threads within an operation would wait for one another,
    # which on a busy machine takes many times longer than the operation itself.
    set_tile_threads(settings.torch_threads or torch.get_num_threads())
    torch.set_num_threads(1)
    registry = MetricRegistry.of_process()
    sessions, runs = open_session_store(settings, registry), open_run_store(settings, registry)
    timings = open_profiling_store(settings, registry)
    try:
        service = build_service(
            settings,
            sessions=sessions,
            runs=runs,
            artifacts=open_artifact_store(settings, registry),
            timings=timings,
            on_stop=(timings.close, runs.close, sessions.close),
            registry=registry,
        )
    except ValueError as error:
        sys.exit(str(error))
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
