"""Timings of pipeline nodes, accumulated over all replicas."""

from fleet_platform.profiling.profiling_store import ProfilingStore
from fleet_platform.profiling.redis import RedisProfilingStore
from fleet_platform.profiling.timing_stats import TimingStats
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry

__all__ = [
    "ProfilingStore",
    "RedisProfilingStore",
    "TimingStats",
    "open_profiling_store",
]


def open_profiling_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None
) -> RedisProfilingStore:
    """Return the profiling store for the settings; it connects when it is first used."""
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path, registry)
    return RedisProfilingStore(connection, settings.session_ttl_s)
