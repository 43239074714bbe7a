"""Starts the trainer service: ``python -m fleet_trainer``."""

import sys

from fleet_platform.rpc import run_service
from fleet_trainer.assembly import build_service
from fleet_trainer.settings import TrainerSettings


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    settings = TrainerSettings()
    try:
        service = build_service(settings)
    except ValueError as error:
        sys.exit(str(error))
    return run_service(service, settings)


if __name__ == "__main__":
    sys.exit(main())
