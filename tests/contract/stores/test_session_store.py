"""The contract of every session store."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import pytest
import redis

from fleet_platform.errors import Conflict, InvalidInput, NotFound
from fleet_platform.sessions import RedisSessionStore, SessionStore
from fleet_platform.sessions.compare_and_set import ATTEMPTS
from fleet_platform.testing import MemorySessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord
from tests.contract.stores.conftest import FakeClock, adding_plugin
from tests.support.polling import wait_until

TTL_S = 60.0


class Ageing(Protocol):
    """A store whose sessions can be made older."""

    store: SessionStore

    def age(self, session_id: str, to_live_s: float) -> None:
        """Advance time since the last call until only `to_live_s` are left."""


@dataclass
class MemoryAgeing:
    store: SessionStore
    clock: FakeClock

    def age(self, session_id: str, to_live_s: float) -> None:
        self.clock.advance(TTL_S - to_live_s)


@dataclass
class RedisAgeing:
    store: SessionStore
    raw: redis.Redis

    def age(self, session_id: str, to_live_s: float) -> None:
        key = f"fleet:session:{session_id}"
        assert self.raw.pexpire(key, max(1, round(to_live_s * 1000)))
        if to_live_s <= 0:
            wait_until(lambda: not self.raw.exists(key), "the session expires")


@pytest.fixture(params=["memory", "redis"])
def ageing(request: pytest.FixtureRequest, clock: FakeClock) -> Ageing:
    if request.param == "memory":
        return MemoryAgeing(MemorySessionStore(TTL_S, clock), clock)
    connection = request.getfixturevalue("connection")
    return RedisAgeing(RedisSessionStore(connection, TTL_S), request.getfixturevalue("raw"))


@pytest.fixture
def store(ageing: Ageing) -> SessionStore:
    return ageing.store


@pytest.fixture
def session_id(store: SessionStore) -> str:
    record = SessionRecord(session_id=str(uuid.uuid4()), search_paths=["/configs"])
    store.create(record)
    return record.session_id


def test_a_session_reads_as_it_was_created(store: SessionStore) -> None:
    record = SessionRecord(session_id=str(uuid.uuid4()), owner="ada", uses_port_lists=True)
    record.pipeline.config_json = b"\x00\xff{}"
    store.create(record)

    read = store.read(record.session_id)

    assert read.format_version == 1
    read.ClearField("format_version")
    assert read == record


def test_changes_to_a_read_copy_are_not_stored(store: SessionStore, session_id: str) -> None:
    store.read(session_id).owner = "nobody"
    assert store.read(session_id).owner == ""


def test_update_writes_and_returns_the_new_record(store: SessionStore, session_id: str) -> None:
    def change(record: SessionRecord) -> None:
        record.run_id = "r"

    updated = store.update(session_id, change)

    assert updated.run_id == "r"
    assert list(updated.search_paths) == ["/configs"]
    assert store.read(session_id) == updated


def test_a_change_that_raises_writes_nothing(store: SessionStore, session_id: str) -> None:
    def change(record: SessionRecord) -> None:
        record.run_id = "r"
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        store.update(session_id, change)
    assert store.read(session_id).run_id == ""


@pytest.mark.parametrize(
    "call",
    [
        lambda store, session_id: store.read(session_id),
        lambda store, session_id: store.update(session_id, lambda _record: None),
        lambda store, session_id: store.delete(session_id),
    ],
    ids=["read", "update", "delete"],
)
@pytest.mark.parametrize("why", ["never was", "deleted", "expired"])
def test_an_unknown_session(
    ageing: Ageing, session_id: str, call: Callable[[SessionStore, str], object], why: str
) -> None:
    if why == "never was":
        session_id = "3c1c"
    elif why == "deleted":
        ageing.store.delete(session_id)
    else:
        ageing.age(session_id, to_live_s=0)

    with pytest.raises(NotFound) as caught:
        call(ageing.store, session_id)

    assert caught.value.text == (
        f"Session {session_id} not found. Sessions expire after 1 min without a call; "
        "create a new one with CreateSession."
    )
    assert not ageing.store.touch(session_id)


def test_a_very_long_session_id_is_not_repeated_in_full(store: SessionStore) -> None:
    with pytest.raises(NotFound) as caught:
        store.read("x" * 100_000)
    assert len(caught.value.text) < 300


@pytest.mark.parametrize(
    "call",
    [
        lambda store, session_id: store.read(session_id),
        lambda store, session_id: store.update(session_id, lambda _record: None),
        lambda store, session_id: store.touch(session_id),
    ],
    ids=["read", "update", "touch"],
)
def test_every_call_extends_the_expiry(
    ageing: Ageing, session_id: str, call: Callable[[SessionStore, str], object]
) -> None:
    ageing.age(session_id, to_live_s=5.0)
    call(ageing.store, session_id)
    # Without the extension the session would expire before this ends.
    if isinstance(ageing, MemoryAgeing):
        ageing.clock.advance(TTL_S - 5.0)
        assert ageing.store.touch(session_id)
    else:
        assert isinstance(ageing, RedisAgeing)
        left_ms = ageing.raw.pttl(f"fleet:session:{session_id}")
        assert TTL_S * 1000 - 4000 < left_ms <= TTL_S * 1000


def test_all_sessions_are_listed_without_extending_their_expiry(
    ageing: Ageing, session_id: str
) -> None:
    other = SessionRecord(session_id=str(uuid.uuid4()))
    other.pipeline.weights_digest = "0" * 64
    ageing.store.create(other)
    ageing.age(session_id, to_live_s=0.5)

    found = {record.session_id: record for record in ageing.store.all()}

    assert found[session_id].search_paths == ["/configs"]
    assert found[other.session_id].pipeline == other.pipeline
    ageing.age(session_id, to_live_s=0)
    assert session_id not in {record.session_id for record in ageing.store.all()}


def test_nothing_is_lost_under_concurrent_writers(store: SessionStore, session_id: str) -> None:
    writers, writes = 8, 10
    together = threading.Barrier(writers)

    def write(writer: int) -> None:
        together.wait(120)
        for number in range(writes):
            name = f"{writer}.{number}"
            while True:  # a Conflict is allowed, a lost write is not
                try:
                    store.update(session_id, adding_plugin(name))
                    break
                except Conflict:
                    continue

    with ThreadPoolExecutor(writers) as pool:
        for result in [pool.submit(write, writer) for writer in range(writers)]:
            result.result(60)

    names = [plugin.name for plugin in store.read(session_id).plugins]
    assert sorted(names) == sorted(f"{w}.{n}" for w in range(writers) for n in range(writes))


def test_a_writer_that_always_conflicts_gives_up(store: SessionStore, session_id: str) -> None:
    attempts = 0

    def lose(_record: SessionRecord) -> None:
        nonlocal attempts
        attempts += 1
        store.update(session_id, adding_plugin(str(attempts)))

    with pytest.raises(Conflict, match="changed by too many calls"):
        store.update(session_id, lose)
    assert attempts == ATTEMPTS
    assert len(store.read(session_id).plugins) == ATTEMPTS


def test_a_session_that_is_deleted_during_an_update(store: SessionStore, session_id: str) -> None:
    with pytest.raises(NotFound):
        store.update(session_id, lambda _record: store.delete(session_id))
    assert not store.touch(session_id)


def test_ping(store: SessionStore) -> None:
    store.ping()
