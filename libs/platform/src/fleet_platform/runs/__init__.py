"""Training runs and the streams of their progress, shared by all trainers."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs.active_run import ActiveRun
from fleet_platform.runs.hold import Hold
from fleet_platform.runs.memory import MemoryRunStore
from fleet_platform.runs.redis import RedisRunStore
from fleet_platform.runs.run_store import ProgressEntry, RunStore
from fleet_platform.settings import ServiceSettings

__all__ = [
    "ActiveRun",
    "Hold",
    "MemoryRunStore",
    "ProgressEntry",
    "RedisRunStore",
    "RunStore",
    "open_run_store",
]


def open_run_store(settings: ServiceSettings) -> RedisRunStore:
    """The run store of the settings; connects at its first use."""
    return RedisRunStore(RedisConnection(settings.redis_url, settings.redis_ca_path))
