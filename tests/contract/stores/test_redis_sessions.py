"""Guarantees of the session store in Redis beyond the contract."""

import time
import uuid
from collections.abc import Callable

import pytest
import redis
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from fleet_platform.errors import DependencyDown, Exhausted, NotFound
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.sessions import RedisSessionStore, open_session_store
from fleet_platform.settings import ServiceSettings
from fleet_proto.records.v1.records_pb2 import SessionRecord
from tests.contract.stores.conftest import adding_plugin
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer

CALLS: dict[str, Callable[[RedisSessionStore, str], object]] = {
    "create": lambda store, session_id: store.create(SessionRecord(session_id=session_id)),
    "read": lambda store, session_id: store.read(session_id),
    "update": lambda store, session_id: store.update(session_id, lambda _record: None),
    "touch": lambda store, session_id: store.touch(session_id),
    "delete": lambda store, session_id: store.delete(session_id),
    "ping": lambda store, _session_id: store.ping(),
}


@pytest.fixture
def store(connection: RedisConnection) -> RedisSessionStore:
    return RedisSessionStore(connection, 60.0)


@pytest.fixture
def session_id(store: RedisSessionStore) -> str:
    session_id = str(uuid.uuid4())
    store.create(SessionRecord(session_id=session_id))
    return session_id


def test_an_untouched_session_expires_by_the_servers_clock(
    connection: RedisConnection, raw: redis.Redis
) -> None:
    store = RedisSessionStore(connection, 0.2)
    session_id = str(uuid.uuid4())
    store.create(SessionRecord(session_id=session_id))
    wait_until(lambda: not raw.exists(f"fleet:session:{session_id}"), "the session expires")
    with pytest.raises(NotFound, match=r"expire after 0\.2 s without"):
        store.read(session_id)


def test_read_is_one_command(store: RedisSessionStore, raw: redis.Redis, session_id: str) -> None:
    store.read(session_id)  # the connection is open now
    before = raw.info("stats")["total_commands_processed"]
    store.read(session_id)
    after = raw.info("stats")["total_commands_processed"]
    assert after - before == 2  # the read, and the second INFO itself


def test_a_damaged_record_is_reported_plainly(
    store: RedisSessionStore, raw: redis.Redis, session_id: str
) -> None:
    raw.set(f"fleet:session:{session_id}", b"\xff\xff\xff")
    with pytest.raises(NotFound, match=f"Session {session_id} is corrupted in the store"):
        store.read(session_id)


def test_a_record_of_a_newer_release_is_left_alone(
    store: RedisSessionStore, raw: redis.Redis, session_id: str
) -> None:
    newer = SessionRecord(session_id=session_id, format_version=2).SerializeToString()
    raw.set(f"fleet:session:{session_id}", newer)
    with pytest.raises(DependencyDown, match="newer release"):
        store.update(session_id, adding_plugin("x"))
    assert raw.get(f"fleet:session:{session_id}") == newer


def test_among_all_a_damaged_one_is_skipped_and_a_newer_one_is_an_error(
    store: RedisSessionStore, raw: redis.Redis, session_id: str
) -> None:
    other = SessionRecord(session_id=str(uuid.uuid4()))
    store.create(other)
    raw.set(f"fleet:session:{session_id}", b"\xff\xff\xff")
    assert [record.session_id for record in store.all()] == [other.session_id]

    newer = SessionRecord(session_id=session_id, format_version=2).SerializeToString()
    raw.set(f"fleet:session:{session_id}", newer)
    with pytest.raises(DependencyDown, match="newer release"):
        list(store.all())


def test_all_are_found_among_many(store: RedisSessionStore) -> None:
    created = {str(uuid.uuid4()) for _ in range(2500)}
    for session_id in created:
        store.create(SessionRecord(session_id=session_id))
    assert {record.session_id for record in store.all()} == created


def test_an_update_survives_the_loss_of_the_servers_scripts(
    store: RedisSessionStore, raw: redis.Redis, session_id: str
) -> None:
    store.update(session_id, adding_plugin("a"))
    raw.script_flush()
    store.update(session_id, adding_plugin("b"))
    assert [plugin.name for plugin in store.read(session_id).plugins] == ["a", "b"]


def test_commands_are_spans_of_the_call_and_start_no_trace(
    store: RedisSessionStore, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = _collect_spans(monkeypatch)
    with TracerProvider().get_tracer("test").start_as_current_span("call") as call:
        store.read(session_id)
        store.ping()
    store.read(session_id)

    assert [name for name, _parent in spans] == ["GETEX"]
    assert spans[0][1] == call.get_span_context().span_id


@pytest.mark.parametrize(
    ("failure", "name"),
    [*(("stopped", name) for name in CALLS), ("hanging", "update"), ("hanging", "ping")],
)
def test_an_unavailable_server_is_reported_within_a_deadline(
    own_redis: RedisServer, failure: str, name: str
) -> None:
    connection = RedisConnection(own_redis.url)
    store = RedisSessionStore(connection, 60.0)
    store.create(SessionRecord(session_id="s"))
    store.ping()
    if failure == "stopped":
        own_redis.stop()
    else:
        own_redis.pause()

    begin = time.monotonic()
    with pytest.raises(DependencyDown, match="does not answer; try again in a moment"):
        CALLS[name](store, "s")
    took_s = time.monotonic() - begin

    assert took_s < 30.0
    connection.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_sessions_survive_a_restart_of_the_server(own_redis: RedisServer, end: str) -> None:
    store = open_session_store(ServiceSettings(redis_url=own_redis.url))
    store.create(SessionRecord(session_id="s", owner="ada"))
    store.ping()
    getattr(own_redis, end)()
    with pytest.raises(DependencyDown):
        store.read("s")

    own_redis.start()

    assert store.read("s").owner == "ada"
    store.update("s", adding_plugin("x"))
    store.ping()
    store.close()


def test_a_hanging_server_is_used_again_once_it_answers(own_redis: RedisServer) -> None:
    store = open_session_store(ServiceSettings(redis_url=own_redis.url))
    store.create(SessionRecord(session_id="s", owner="ada"))
    own_redis.pause()
    with pytest.raises(DependencyDown):
        store.ping()
    own_redis.resume()
    assert store.read("s").owner == "ada"
    store.ping()
    store.close()


def test_a_read_only_or_full_server_is_reported_plainly(own_redis: RedisServer) -> None:
    store = open_session_store(ServiceSettings(redis_url=own_redis.url))
    store.create(SessionRecord(session_id="s"))
    with redis.Redis.from_url(own_redis.url) as raw:
        raw.config_set("maxmemory", 1)
        for call in ("create", "update"):
            with pytest.raises(Exhausted, match="store is full"):
                CALLS[call](store, "s")
        raw.config_set("maxmemory", 0)
        raw.replicaof("127.0.0.1", 1)
        for call in ("create", "update", "touch", "delete"):
            with pytest.raises(DependencyDown):
                CALLS[call](store, "s")
        raw.replicaof("NO", "ONE")
    assert store.touch("s")
    store.close()


def _collect_spans(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Names and parents of the connection's spans."""
    spans: list[tuple[str, int]] = []
    provider = TracerProvider()
    tracer = provider.get_tracer("test")

    class Recording:
        def start_as_current_span(self, name: str, **options: object) -> object:
            spans.append((name, trace.get_current_span().get_span_context().span_id))
            return tracer.start_as_current_span(name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("fleet_platform.redis_connection._tracer", Recording())
    return spans
