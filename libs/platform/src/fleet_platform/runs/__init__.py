"""Training runs and their progress streams, shared by all trainers."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.checkpoint import Checkpoint
from fleet_platform.runs.counted import CountedRunStore
from fleet_platform.runs.lease_status import LeaseStatus
from fleet_platform.runs.redis import RedisRunStore
from fleet_platform.runs.run_rules import is_active, require_no_training
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry

__all__ = [
    "ActiveRun",
    "Checkpoint",
    "LeaseStatus",
    "ProgressEntry",
    "RedisRunStore",
    "RunStore",
    "is_active",
    "open_run_store",
    "require_no_training",
]


def open_run_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None, *, counted: bool = False
) -> RunStore:
    """Return the run store for the settings; it connects when it is first used.

    Args:
        settings: Address of the store.
        registry: Receives the metrics of its commands.
        counted: Whether to count progress messages and finished runs as well.
    """
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path, registry)
    store = RedisRunStore(connection)
    return CountedRunStore(store, registry) if registry is not None and counted else store
