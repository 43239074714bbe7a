"""Which artifacts are kept and which are removed."""

import uuid

import pytest
from structlog.testing import capture_logs

from fleet_platform.errors import Conflict, DependencyDown, NotFound
from fleet_platform.runs import Checkpoint
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_COMPLETE,
    RunRecord,
    SessionRecord,
)
from fleet_session.artifact_garbage_collector import ArtifactGarbageCollector
from tests.support.polling import wait_until

KEPT_S = 100.0


class Store(MemoryArtifactStore):
    """Counts seconds by hand, and has something happen before an artifact is read."""

    def __init__(self):
        self.now_s = 0.0
        self.before_get = lambda digest: None
        super().__init__(lambda: self.now_s)

    def get(self, digest):
        self.before_get(digest)
        return super().get(digest)


@pytest.fixture
def artifacts():
    return Store()


@pytest.fixture
def sessions():
    return MemorySessionStore(ttl_s=60)


@pytest.fixture
def runs():
    return MemoryRunStore()


@pytest.fixture
def collector(sessions, runs, artifacts):
    return ArtifactGarbageCollector(
        sessions=sessions, runs=runs, artifacts=artifacts, kept_s=KEPT_S
    )


@pytest.fixture
def left(collector, artifacts):
    """``left(digests)``: those that are there after all became old and the unused ones went."""

    def look(digests):
        artifacts.now_s += KEPT_S + 1
        collector.sweep()
        return {digest for digest in digests if artifacts.exists(digest)}

    return look


def running(runs, **fields):
    run = RunRecord(run_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()), **fields)
    return runs.claim(runs.create(run).run_id, "trainer-1")


def test_what_a_session_names_stays_until_it_is_closed(left, sessions, artifacts):
    weights, code, registered = map(artifacts.put, (b"weights", b"code", b"registered"))
    session = SessionRecord(session_id="s")
    session.pipeline.weights_digest = weights
    session.pipeline.plugins.add(code_digest=code)
    session.plugins.add(code_digest=registered)
    sessions.create(session)

    assert left({weights, code, registered, artifacts.put(b"other")}) == {weights, code, registered}
    sessions.delete("s")
    assert left({weights, code, registered}) == set()


def test_what_was_stored_lately_stays(collector, artifacts):
    digest = artifacts.put(b"weights")
    artifacts.now_s += KEPT_S
    assert collector.sweep().count == 0
    assert artifacts.exists(digest)


def test_what_a_training_began_with_and_ended_with_stays(left, runs, artifacts):
    first, result, code = map(artifacts.put, (b"first", b"result", b"code"))
    run = running(runs)
    run.pipeline.weights_digest = first
    run.result.weights_digest = result
    run.result.plugins.add(code_digest=code)
    run.state = RUN_STATE_COMPLETE
    runs.finish(run, b"last")
    assert left({first, result, code}) == {first, result, code}


def checkpoint(artifacts, run, epoch, weights):
    return artifacts.put(Checkpoint(epoch, weights, b"state").to_bytes(run.run_id, epoch))


def test_a_training_can_be_resumed_for_ever(left, runs, artifacts):
    run, fitted = running(runs), artifacts.put(b"fitted")
    newest = checkpoint(artifacts, run, 3, fitted)
    runs.save_checkpoint(run.run_id, run.fencing_token, newest)
    forgotten = checkpoint(artifacts, run, 2, fitted)

    assert left({fitted, newest, forgotten}) == {fitted, newest}


def test_a_checkpoint_that_is_replaced_while_it_is_read(left, runs, artifacts):
    run, fitted = running(runs), artifacts.put(b"fitted")
    first = checkpoint(artifacts, run, 1, fitted)
    runs.save_checkpoint(run.run_id, run.fencing_token, first)

    def replace(digest):
        if digest == first and artifacts.exists(first):
            second = checkpoint(artifacts, run, 2, fitted)
            runs.save_checkpoint(run.run_id, run.fencing_token, second)
            artifacts.delete(first)

    artifacts.before_get = replace
    assert left({fitted}) == {fitted}


def test_checkpoints_that_are_always_replaced_remove_nothing(collector, runs, artifacts):
    run, fitted = running(runs), artifacts.put(b"fitted")
    epochs = iter(range(1, 100))

    def replace(_digest=""):
        newest = f"{next(epochs):064x}"
        runs.save_checkpoint(run.run_id, run.fencing_token, newest)

    replace()
    artifacts.before_get = replace
    artifacts.now_s += KEPT_S + 1
    with pytest.raises(Conflict):
        collector.sweep()
    assert artifacts.exists(fitted)


def test_a_checkpoint_that_cannot_be_read_keeps_nothing(left, runs, artifacts):
    run, other = running(runs), artifacts.put(b"of another")
    damaged = artifacts.put(b"no checkpoint at all")
    runs.save_checkpoint(run.run_id, run.fencing_token, damaged)
    assert left({other, damaged}) == {damaged}


def test_a_training_that_is_forgotten_meanwhile(left, runs, artifacts, monkeypatch):
    run = running(runs)
    runs.save_checkpoint(run.run_id, run.fencing_token, "0" * 64)

    def forgotten(_run_id):
        raise NotFound("gone")

    monkeypatch.setattr(runs, "read", forgotten)
    assert left({artifacts.put(b"weights")}) == set()


@pytest.mark.parametrize("store", ["sessions", "runs"])
def test_where_a_store_does_not_answer_nothing_is_removed_until_it_does(
    collector, sessions, runs, artifacts, store, monkeypatch
):
    digest = artifacts.put(b"weights")
    artifacts.now_s += KEPT_S + 1

    def down():
        raise DependencyDown("away")

    with monkeypatch.context() as away:
        away.setattr({"sessions": sessions, "runs": runs}[store], "all", down)
        with pytest.raises(DependencyDown):
            collector.sweep()
        assert artifacts.exists(digest)
    assert collector.sweep().count == 1


def test_it_sweeps_repeatedly_until_it_is_closed(sessions, runs, artifacts, monkeypatch):
    failures = iter([DependencyDown("away")])
    found = runs.all

    def first_down():
        for failure in failures:
            raise failure
        return found()

    monkeypatch.setattr(runs, "all", first_down)
    collector = ArtifactGarbageCollector(
        sessions=sessions, runs=runs, artifacts=artifacts, kept_s=0.24
    )
    digest = artifacts.put(b"weights")
    artifacts.now_s += 1
    with capture_logs() as lines:
        collector.start()
        wait_until(lambda: not artifacts.exists(digest), "it is removed")
        collector.close()
    assert [line["event"] for line in lines] == ["artifacts.not_removed", "artifacts.removed"]
    digest = artifacts.put(b"weights")
    artifacts.now_s += 1
    assert artifacts.exists(digest)
