"""Session records, shared by all services."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.sessions.owner_scoped import OwnerScopedSessionStore
from fleet_platform.sessions.redis import RedisSessionStore
from fleet_platform.sessions.session_rules import require_pipeline
from fleet_platform.sessions.session_store import SessionStore, default_search_path, new_session
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics

__all__ = [
    "OwnerScopedSessionStore",
    "RedisSessionStore",
    "SessionStore",
    "default_search_path",
    "new_session",
    "open_session_store",
    "require_pipeline",
]


def open_session_store(
    settings: ServiceSettings, registry: MetricRegistry | None = None, *, counted: bool = False
) -> SessionStore:
    """Return the session store for the settings; it connects when it is first used.

    Args:
        settings: Address of the store and lifetime of sessions.
        registry: Receives the metrics of its commands.
        counted: Whether the number of open sessions is also a metric. Every scrape then iterates
            over the whole store.
    """
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path, registry)
    store = RedisSessionStore(connection, settings.session_ttl_s)
    if registry is not None and counted:
        registry.watch(metrics.SESSIONS_OPEN, lambda: [({}, store.count())])
    return OwnerScopedSessionStore(store, settings.session_ttl_s)
