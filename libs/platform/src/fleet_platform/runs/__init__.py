"""Training runs and the streams of their progress, shared by all trainers."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.counted import CountedRunStore
from fleet_platform.runs.hold import Hold
from fleet_platform.runs.memory import MemoryRunStore
from fleet_platform.runs.redis import RedisRunStore
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry

__all__ = [
    "ActiveRun",
    "Hold",
    "MemoryRunStore",
    "ProgressEntry",
    "RedisRunStore",
    "RunStore",
    "open_run_store",
]


def open_run_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None
) -> RedisRunStore:
    """The run store of the settings, counted; connects at its first use."""
    registry = registry or MetricRegistry()
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path, registry)
    return CountedRunStore(connection, registry)
