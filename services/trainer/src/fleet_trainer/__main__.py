"""Starts the trainer service: ``python -m fleet_trainer``."""

import sys

from fleet_platform.rpc import run_service
from fleet_trainer.assembly import build_trainer
from fleet_trainer.settings import TrainerSettings


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    settings = TrainerSettings()
    try:
        trainer = build_trainer(settings)
    except ValueError as error:
        sys.exit(str(error))
    try:
        return run_service(trainer.service, settings)
    finally:
        # The interpreter waits for worker processes that are still alive when it exits.
        trainer.pool.close()


if __name__ == "__main__":
    sys.exit(main())
