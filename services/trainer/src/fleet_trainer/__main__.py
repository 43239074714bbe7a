"""Composition root of the trainer service: ``python -m fleet_trainer``."""

import sys

from fleet_platform.rpc import run_service
from fleet_trainer.assembly import assemble
from fleet_trainer.settings import TrainerSettings


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = TrainerSettings()
    return run_service(assemble(settings).service, settings)


if __name__ == "__main__":
    sys.exit(main())
