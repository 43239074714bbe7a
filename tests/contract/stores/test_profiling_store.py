"""The contract of every profiling store."""

import threading
import uuid
from collections.abc import Callable

import numpy as np
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_platform.errors import DependencyDown
from fleet_platform.profiling import ProfilingStore, RedisProfilingStore, TimingStats
from fleet_platform.profiling.timing_buckets import bucket_of, median_of
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.testing import MemoryProfilingStore
from tests.contract.stores.conftest import FakeClock
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer

INFERENCE, VAL = 4, 2
PIPELINE = "a" * 64


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> ProfilingStore:
    if request.param == "memory":
        return MemoryProfilingStore(60.0)
    return RedisProfilingStore(request.getfixturevalue("connection"), 60.0)


@pytest.fixture
def session_id() -> str:
    return str(uuid.uuid4())


def add(store: ProfilingStore, session_id: str, *values_ms: float, **how: object) -> None:
    arguments = {"pipeline": PIPELINE, "stage": INFERENCE, "skip": 0, "node": "rx"} | how
    for value_ms in values_ms:
        store.record(
            session_id,
            arguments["pipeline"],
            arguments["stage"],
            {arguments["node"]: value_ms},
            arguments["skip"],
        )


def only(store: ProfilingStore, session_id: str) -> TimingStats:
    (stats,) = store.summary(session_id, PIPELINE)
    return stats


def test_statistics_cover_all_values(store: ProfilingStore, session_id: str) -> None:
    values = np.random.default_rng(0).lognormal(1.0, 0.6, 301)
    add(store, session_id, *map(float, values))
    stats = only(store, session_id)
    assert (stats.node_name, stats.stage, stats.count) == ("rx", INFERENCE, 301)
    assert stats.mean_ms == pytest.approx(values.mean(), rel=1e-12)
    assert stats.std_ms == pytest.approx(values.std(), rel=1e-10)
    assert stats.total_ms == pytest.approx(values.sum(), rel=1e-12)
    assert stats.median_ms == pytest.approx(np.median(values), rel=0.01)
    assert (stats.min_ms, stats.max_ms) == (values.min(), values.max())
    assert stats.last_ms == values[-1]


def test_a_small_spread_of_long_times_keeps_its_precision(
    store: ProfilingStore, session_id: str
) -> None:
    values = 5e5 + np.arange(10) * 1e-4
    add(store, session_id, *map(float, values))
    assert only(store, session_id).std_ms == pytest.approx(values.std(), rel=1e-4)


def test_one_value_is_reported_exactly(store: ProfilingStore, session_id: str) -> None:
    add(store, session_id, 0.125)
    stats = only(store, session_id)
    exact = (stats.mean_ms, stats.median_ms, stats.min_ms, stats.max_ms, stats.total_ms)
    assert exact == (0.125,) * 5
    assert stats.std_ms == 0


def test_nodes_and_stages_are_separate(store: ProfilingStore, session_id: str) -> None:
    odd_name = "a|b|4 µ"
    add(store, session_id, 1.0, 2.0)
    add(store, session_id, 3.0, stage=VAL)
    add(store, session_id, 4.0, node=odd_name)
    counts = {
        (stats.node_name, stats.stage): stats.count for stats in store.summary(session_id, PIPELINE)
    }
    assert counts == {("rx", INFERENCE): 2, ("rx", VAL): 1, (odd_name, INFERENCE): 1}


def test_the_first_n_of_each_node_are_left_out(store: ProfilingStore, session_id: str) -> None:
    add(store, session_id, 100.0, 90.0, 1.0, 3.0, skip=2)
    add(store, session_id, 50.0, node="late", skip=2)
    stats = only(store, session_id)
    assert (stats.count, stats.max_ms) == (2, 3.0)


def test_reset_deletes_the_values_and_the_skipped_counts(
    store: ProfilingStore, session_id: str
) -> None:
    add(store, session_id, 100.0, 1.0, skip=1)
    store.reset(session_id)
    assert store.summary(session_id, PIPELINE) == []
    add(store, session_id, 100.0, 2.0, skip=1)
    assert only(store, session_id).total_ms == 2.0
    store.reset("never-was")


def test_another_pipeline_replaces_the_values(store: ProfilingStore, session_id: str) -> None:
    add(store, session_id, 1.0)
    assert store.summary(session_id, "b" * 64) == []
    add(store, session_id, 2.0, pipeline="b" * 64)
    assert store.summary(session_id, PIPELINE) == []
    (stats,) = store.summary(session_id, "b" * 64)
    assert stats.total_ms == 2.0


def test_sessions_do_not_see_each_other(store: ProfilingStore, session_id: str) -> None:
    add(store, session_id, 1.0)
    assert store.summary("another", PIPELINE) == []


def test_adding_at_the_same_time_loses_nothing(store: ProfilingStore, session_id: str) -> None:
    def replica() -> None:
        add(store, session_id, *([1.0, 3.0] * 25))

    threads = [threading.Thread(target=replica) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = only(store, session_id)
    assert (stats.count, stats.total_ms, stats.mean_ms) == (200, 400.0, pytest.approx(2.0))
    assert stats.std_ms == pytest.approx(1.0)


def test_memory_expires_after_the_sessions_lifetime(clock: FakeClock) -> None:
    store = MemoryProfilingStore(60.0, clock)
    add(store, "one", 1.0)
    clock.advance(59.0)
    assert store.summary("one", PIPELINE)  # and pushes the expiry
    clock.advance(59.0)
    assert store.summary("one", PIPELINE)
    clock.advance(61.0)
    assert store.summary("one", PIPELINE) == []


def test_redis_expires_after_the_sessions_lifetime(
    connection: RedisConnection, raw: redis.Redis, session_id: str
) -> None:
    store = RedisProfilingStore(connection, 0.2)
    add(store, session_id, 1.0)
    assert raw.pttl(f"fleet:profiling:{session_id}") > 0
    wait_until(lambda: not raw.exists(f"fleet:profiling:{session_id}"), "the timings expire")


def test_the_size_in_redis_does_not_grow_with_the_number_of_timings(
    connection: RedisConnection, raw: redis.Redis, session_id: str
) -> None:
    store = RedisProfilingStore(connection, 60.0)
    add(store, session_id, *([1.0, 2.0] * 5))
    fields = raw.hlen(f"fleet:profiling:{session_id}")
    add(store, session_id, *([1.0, 2.0] * 50))
    assert raw.hlen(f"fleet:profiling:{session_id}") == fields


def test_a_run_is_one_command(
    connection: RedisConnection, raw: redis.Redis, session_id: str
) -> None:
    store = RedisProfilingStore(connection, 60.0)
    add(store, session_id, 1.0)
    before = raw.info("commandstats")["cmdstat_evalsha"]["calls"]
    store.record(session_id, PIPELINE, INFERENCE, {"a": 1.0, "b": 2.0, "c": 3.0}, 0)
    assert raw.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1


@pytest.mark.parametrize(
    "call",
    [
        lambda store: add(store, "one", 1.0),
        lambda store: store.summary("one", PIPELINE),
        lambda store: store.reset("one"),
    ],
    ids=["record", "summary", "reset"],
)
def test_an_unavailable_server_is_reported(
    own_redis: RedisServer, call: Callable[[ProfilingStore], object]
) -> None:
    connection = RedisConnection(own_redis.url)
    store = RedisProfilingStore(connection, 60.0)
    own_redis.stop()
    with pytest.raises(DependencyDown):
        call(store)
    connection.close()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1e-3, 9e5), min_size=1, max_size=40))
def test_a_median_of_buckets_is_within_one_percent(values: list[float]) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket_of(value)] = counts.get(bucket_of(value), 0) + 1
    got = median_of(counts, min(values), max(values))
    assert got == pytest.approx(float(np.median(values)), rel=0.0101)


@pytest.mark.parametrize("value_ms", [0.0, -1.0, 1e-9, 1e9, float("inf")])
def test_values_out_of_range_are_in_the_outermost_bucket(value_ms: float) -> None:
    assert bucket_of(1e-3) <= bucket_of(value_ms) <= bucket_of(9e5)


def test_the_number_of_buckets_is_limited() -> None:
    assert bucket_of(9e5) - bucket_of(1e-3) + 1 == 1032
