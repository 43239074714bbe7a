"""Session records, shared by all services."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.sessions.new_session import default_search_path, new_session
from fleet_platform.sessions.owner_scoped import OwnerScopedSessionStore
from fleet_platform.sessions.redis import RedisSessionStore
from fleet_platform.sessions.session_store import SessionStore
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.registry import metrics

__all__ = [
    "OwnerScopedSessionStore",
    "RedisSessionStore",
    "SessionStore",
    "default_search_path",
    "new_session",
    "open_session_store",
]


def open_session_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None, *, counted: bool = False
) -> SessionStore:
    """The session store of the settings; connects at its first use.

    Args:
        settings: where it is, and how long sessions live.
        registry: where its commands are counted.
        counted: whether the number of open sessions is told there too, for which the whole store
            is looked through whenever metrics are asked for.
    """
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path, registry)
    store = RedisSessionStore(connection, settings.session_ttl_s)
    if registry is not None and counted:
        registry.watch(metrics.SESSIONS_OPEN, lambda: [({}, store.count())])
    return OwnerScopedSessionStore(store, settings.session_ttl_s)
