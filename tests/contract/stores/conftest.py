"""Fixtures of the store suites: one Redis for all tests, and clocks that tests move."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from fleet_platform.redis_connection import RedisConnection
from fleet_proto.records.v1.records_pb2 import SessionRecord
from tests.support.processes.redis_server import RedisServer


@dataclass
class FakeClock:
    """A clock that only moves when a test moves it."""

    now_s: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The shared server of all tests that do not stop it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that the test may stop, kill and start again."""
    with RedisServer(tmp_path_factory.mktemp("own-redis")) as server:
        yield server


@pytest.fixture
def connection(redis_server: RedisServer, raw: redis.Redis) -> Iterator[RedisConnection]:
    """A connection to a server without data of other tests."""
    raw.flushdb()
    connection = RedisConnection(redis_server.url)
    yield connection
    connection.close()


@pytest.fixture
def raw(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A plain client, to inspect keys and to age them."""
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


def adding_plugin(name: str) -> Callable[[SessionRecord], None]:
    """A change of a session that must not be lost."""

    def change(record: SessionRecord) -> None:
        record.plugins.add(name=name)

    return change
