"""Starts the inference service: ``python -m fleet_inference``."""

import sys

import torch

from fleet_inference.composition import compose
from fleet_inference.settings import InferenceSettings
from fleet_platform.artifacts import open_artifact_store
from fleet_platform.rpc import run_service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store


def main() -> int:
    """Run until a signal; returns the exit status."""
    settings = InferenceSettings()
    torch.set_num_threads(settings.torch_threads)
    try:
        service = compose(
            settings,
            sessions=open_session_store(settings),
            runs=open_run_store(settings),
            artifacts=open_artifact_store(settings),
        )
    except ValueError as error:
        sys.exit(str(error))
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
