"""Session records, shared by all services."""

from fleet_platform.redis_connection import RedisConnection
from fleet_platform.sessions.memory import MemorySessionStore
from fleet_platform.sessions.new_session import default_search_path, new_session
from fleet_platform.sessions.owned import OwnedSessions
from fleet_platform.sessions.redis import RedisSessionStore
from fleet_platform.sessions.session_store import SessionStore
from fleet_platform.settings import ServiceSettings

__all__ = [
    "MemorySessionStore",
    "OwnedSessions",
    "RedisSessionStore",
    "SessionStore",
    "default_search_path",
    "new_session",
    "open_session_store",
]


def open_session_store(settings: ServiceSettings) -> SessionStore:
    """The session store of the settings; connects at its first use."""
    connection = RedisConnection(settings.redis_url, settings.redis_ca_path)
    return OwnedSessions(
        RedisSessionStore(connection, settings.session_ttl_s), settings.session_ttl_s
    )
