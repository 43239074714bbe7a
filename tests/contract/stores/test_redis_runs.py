"""Guarantees of the run store in Redis beyond the contract; the same expiry in memory."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

from fleet_platform.errors import Conflict, DependencyDown, NotFound
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs import RedisRunStore, open_run_store
from fleet_platform.runs.run_rules import KEPT_S
from fleet_platform.settings import ServiceSettings
from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState
from tests.contract.stores.conftest import FakeClock
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer

CALLS: dict[str, Callable[[RedisRunStore], object]] = {
    "create": lambda store: store.create(RunRecord(run_id="r", session_id="s")),
    "claim": lambda store: store.claim("r", "t"),
    "read": lambda store: store.read("r"),
    "heartbeat": lambda store: store.heartbeat("r", 1),
    "append": lambda store: store.append("r", 1, b"x"),
    "release": lambda store: store.release("r", 1, died=True),
    "save_checkpoint": lambda store: store.save_checkpoint("r", 1, "ab" * 32),
    "cancel_queued": lambda store: store.cancel_queued(
        RunRecord(run_id="r", state=RunState.RUN_STATE_CANCELLED), b"x"
    ),
    "active": lambda store: store.active(),
    "request_stop": lambda store: store.request_stop("r"),
    "tail": lambda store: list(store.tail("r")),
    "latest": lambda store: store.latest("r"),
}


@pytest.fixture
def store(connection: RedisConnection) -> RedisRunStore:
    return RedisRunStore(connection)


@pytest.fixture
def claimed(store: RedisRunStore) -> RunRecord:
    run = RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()))
    return store.claim(store.create(run).run_id, "trainer-1")


def keys_of(run: RunRecord) -> list[str]:
    run_id = run.run_id
    return [
        f"fleet:run:{run_id}",
        f"fleet:progress:{run_id}",
        f"fleet:session-run:{run.session_id}",
    ]


@pytest.mark.parametrize(
    "write",
    [
        lambda store, run: store.claim(run.run_id, "t"),
        lambda store, run: store.heartbeat(run.run_id, 1),
        lambda store, run: store.append(run.run_id, 1, b"x"),
        lambda store, run: store.request_stop(run.run_id),
        lambda store, run: store.release(run.run_id, 1, died=True),
        lambda store, run: store.save_checkpoint(run.run_id, 1, "ab" * 32),
    ],
    ids=["claim", "heartbeat", "append", "request_stop", "release", "save_checkpoint"],
)
def test_every_write_extends_the_expiry_of_all_keys(
    store: RedisRunStore,
    raw: redis.Redis,
    claimed: RunRecord,
    write: Callable[[RedisRunStore, RunRecord], object],
) -> None:
    store.append(claimed.run_id, 1, b"first")
    for key in keys_of(claimed):
        assert raw.expire(key, 50)
    write(store, claimed)
    for key in keys_of(claimed):
        assert KEPT_S - 60 < raw.ttl(key) <= KEPT_S


def test_a_run_expires_after_its_last_write(connection: RedisConnection, raw: redis.Redis) -> None:
    store = RedisRunStore(connection, kept_s=0.2)
    run = RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()))
    store.create(run)
    wait_until(lambda: not raw.exists(*keys_of(run)), "all keys expire")
    with pytest.raises(NotFound):
        store.read(run.run_id)
    again = RunRecord(run_id=str(uuid.uuid4()), session_id=run.session_id)
    assert store.create(again).run_id == again.run_id


def test_the_index_of_active_runs_does_not_leak(
    connection: RedisConnection, raw: redis.Redis
) -> None:
    store = RedisRunStore(connection, kept_s=0.2)
    forgotten = store.create(RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4())))
    ended = store.create(RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4())))
    ended = store.claim(ended.run_id, "trainer-1")
    ended.state = RunState.RUN_STATE_COMPLETE
    store.finish(ended, b"last")
    assert raw.zscore("fleet:active-runs", ended.run_id) is None
    wait_until(lambda: not raw.exists(*keys_of(forgotten)), "all keys expire")

    assert forgotten.run_id not in {run.run_id for run in store.active()}
    assert raw.zscore("fleet:active-runs", forgotten.run_id) is None


def test_a_record_of_the_first_release_is_read(
    connection: RedisConnection, raw: redis.Redis
) -> None:
    run_id = str(uuid.uuid4())
    record = RunRecord(
        format_version=1, run_id=run_id, session_id="s", result_weights_digest="ab" * 32
    )
    fields: dict[Any, Any] = {"record": record.SerializeToString(), "state": 3, "token": 1}
    raw.hset(f"fleet:run:{run_id}", mapping=fields)

    read = RedisRunStore(connection).read(run_id)

    assert read.state == RunState.RUN_STATE_COMPLETE
    assert read.result_weights_digest == "ab" * 32
    assert (read.attempts, read.HasField("result")) == (0, False)


def test_memory_expires_in_the_same_way(clock: FakeClock) -> None:
    store = MemoryRunStore(clock)
    store.create(RunRecord(run_id="r", session_id="s"))
    clock.advance(KEPT_S - 1)
    store.claim("r", "t")
    clock.advance(KEPT_S - 1)
    assert store.read("r").owner == "t"
    clock.advance(1)
    with pytest.raises(NotFound):
        store.read("r")
    assert store.create(RunRecord(run_id="r2", session_id="s")).run_id == "r2"


def test_the_length_of_a_stream_is_limited(
    store: RedisRunStore, raw: redis.Redis, claimed: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet_platform.runs.redis.MAX_ENTRIES", 100)
    for number in range(500):
        store.append(claimed.run_id, 1, b"%d" % number)
    assert 100 <= raw.xlen(f"fleet:progress:{claimed.run_id}") < 300
    latest = store.latest(claimed.run_id)
    assert latest is not None
    assert latest.payload == b"499"


def test_a_write_sent_twice_because_its_reply_was_lost_counts_once(
    store: RedisRunStore, claimed: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, second, third = (uuid.uuid4() for _ in range(3))
    monkeypatch.setattr("fleet_platform.runs.redis.uuid.uuid4", lambda: name)
    assert store.append(claimed.run_id, 1, b"x") == store.append(claimed.run_id, 1, b"x")
    assert [entry.payload for entry in store.tail(claimed.run_id, wait_s=0.01)] == [b"x"]

    name = second
    claimed.state = RunState.RUN_STATE_COMPLETE
    store.finish(claimed, b"last")
    store.finish(claimed, b"last")
    assert [entry.payload for entry in store.tail(claimed.run_id, wait_s=0.01)] == [b"x", b"last"]

    name = third
    with pytest.raises(Conflict):
        store.finish(claimed, b"last")


@pytest.mark.parametrize("name", CALLS)
def test_an_unavailable_server_is_reported(own_redis: RedisServer, name: str) -> None:
    store = open_run_store(ServiceSettings(redis_url=own_redis.url))
    CALLS["create"](store)
    own_redis.kill()
    with pytest.raises(DependencyDown):
        CALLS[name](store)
    store.close()


def test_a_run_and_its_stream_survive_a_restart_of_the_server(own_redis: RedisServer) -> None:
    store = open_run_store(ServiceSettings(redis_url=own_redis.url))
    CALLS["create"](store)
    token = store.claim("r", "t").fencing_token
    position = store.append("r", token, b"before")
    tail = store.tail("r", wait_s=10.0)
    assert next(tail).payload == b"before"
    own_redis.kill()
    with pytest.raises(DependencyDown):
        next(tail)

    own_redis.start()

    assert store.heartbeat("r", token)
    store.append("r", token, b"after")
    assert [entry.payload for entry in store.tail("r", position, wait_s=0.01)] == [b"after"]
    store.close()
