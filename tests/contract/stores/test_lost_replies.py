"""A command that is sent again because the connection broke takes effect once."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from fleet_platform.profiling import RedisProfilingStore
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.runs import RedisRunStore
from fleet_platform.sessions import RedisSessionStore
from fleet_proto.records.v1.records_pb2 import RunRecord, RunState, SessionRecord
from tests.contract.stores.conftest import adding_plugin
from tests.support.network.faulty_proxy import FaultyProxy
from tests.support.processes.redis_server import RedisServer

ROUNDS = 200


@dataclass
class Stores:
    """All stores on a network that fails on request."""

    network: FaultyProxy
    sessions: RedisSessionStore
    runs: RedisRunStore
    profiling: RedisProfilingStore

    def once(self, act: Callable[[], object]) -> object:
        """Run the call while the reply to its first command is lost."""
        self.network.replies_to_lose = 1
        done = act()
        assert self.network.replies_to_lose == 0
        return done

    def session(self) -> str:
        session_id = str(uuid.uuid4())
        self.sessions.create(SessionRecord(session_id=session_id))
        return session_id

    def run(self) -> RunRecord:
        run = RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()))
        return self.runs.create(run)

    def claimed(self) -> RunRecord:
        return self.runs.claim(self.run().run_id, "trainer", 0)

    def payloads(self, run: RunRecord) -> list[bytes]:
        return [entry.payload for entry in self.runs.tail(run.run_id, wait_s=0.01)]


@pytest.fixture
def stores(redis_server: RedisServer) -> Iterator[Stores]:
    with FaultyProxy(redis_server.port) as network:
        connection = RedisConnection(network.url)
        stores = Stores(
            network,
            RedisSessionStore(connection, 60.0),
            RedisRunStore(connection),
            RedisProfilingStore(connection, 60.0),
        )
        _warm_up(stores)
        yield stores
        connection.close()


def _warm_up(stores: Stores) -> None:
    """Load all scripts into the server, so that each step below is one command."""
    session_id = stores.session()
    stores.sessions.update(session_id, adding_plugin("x"))
    stores.sessions.delete(session_id)
    stores.profiling.record(session_id, "d", 1, {"node": 1.0}, 0)
    run = stores.claimed()
    stores.runs.append(run.run_id, 1, b"x")
    stores.runs.release(run.run_id, 1, died=True)
    stores.runs.request_stop(run.run_id)


def test_a_session_is_changed_once(stores: Stores) -> None:
    session_id = stores.session()
    stored = stores.sessions.read(session_id)

    def change_after_reading() -> SessionRecord:
        def change(record: SessionRecord) -> None:
            # The read has ended; the reply to the write is lost.
            stores.network.replies_to_lose = 1
            adding_plugin("a")(record)

        return stores.sessions.update(session_id, change)

    changed = change_after_reading()
    assert stores.network.failures == 1
    assert [plugin.name for plugin in changed.plugins] == ["a"]
    assert stores.sessions.read(session_id) == changed != stored


def test_a_session_is_closed_once_without_an_error(stores: Stores) -> None:
    session_id = stores.session()
    stores.once(lambda: stores.sessions.delete(session_id))
    assert not stores.sessions.touch(session_id)


def test_a_run_is_created_and_claimed_once(stores: Stores) -> None:
    wanted = RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()))
    created = stores.once(lambda: stores.runs.create(wanted))
    assert isinstance(created, RunRecord)
    assert created.run_id == wanted.run_id
    stores.once(lambda: stores.runs.claim(wanted.run_id, "trainer", 0))
    run = stores.runs.read(wanted.run_id)
    assert (run.owner, run.fencing_token, run.attempts) == ("trainer", 1, 1)


def test_a_message_is_sent_once_and_a_run_ends_once(stores: Stores) -> None:
    run = stores.claimed()
    stores.once(lambda: stores.runs.append(run.run_id, 1, b"progress"))
    run.state = RunState.RUN_STATE_COMPLETE
    stores.once(lambda: stores.runs.finish(run, b"last"))
    assert stores.payloads(run) == [b"progress", b"last"]


def test_a_run_is_released_once(stores: Stores) -> None:
    run = stores.claimed()
    stores.once(lambda: stores.runs.release(run.run_id, 1, died=False))
    again = stores.runs.read(run.run_id)
    assert (again.state, again.fencing_token, again.attempts) == (RunState.RUN_STATE_QUEUED, 2, 0)


def test_timings_count_once(stores: Stores) -> None:
    session_id = stores.session()
    stores.once(lambda: stores.profiling.record(session_id, "d", 1, {"node": 2.0}, 0))
    (stats,) = stores.profiling.summary(session_id, "d")
    assert (stats.count, stats.total_ms) == (1, 2.0)


def test_of_many_steps_with_ten_percent_failures_none_is_lost_or_doubled(stores: Stores) -> None:
    session_id, run = stores.session(), stores.claimed()
    stores.network.failure_rate = 0.1
    for number in range(ROUNDS):
        stores.sessions.update(session_id, adding_plugin(str(number)))
        stores.runs.append(run.run_id, 1, b"%d" % number)
    stores.network.failure_rate = 0.0

    assert stores.network.failures > ROUNDS / 10
    names = [plugin.name for plugin in stores.sessions.read(session_id).plugins]
    assert names == [str(number) for number in range(ROUNDS)]
    assert stores.payloads(run) == [b"%d" % number for number in range(ROUNDS)]
