import pytest

from fleet_platform.errors import Exhausted
from fleet_platform.runs import Checkpoint
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.progress import Superseded


class _World:
    def __init__(self):
        self.runs = MemoryRunStore()
        self.artifacts = MemoryArtifactStore()
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))

    def take_up(self):
        return Checkpoints(self.runs.claim("run", "me"), runs=self.runs, artifacts=self.artifacts)

    @property
    def digest(self):
        return self.runs.read("run").checkpoint_digest

    @property
    def stored(self):
        return set(self.artifacts._contents)


@pytest.fixture
def world():
    return _World()


def _epoch(epoch):
    return Checkpoint(epoch, "ab" * 32, b"state\n%d" % epoch)


def test_the_next_owner_finds_the_newest_and_no_other_is_left(world):
    first = world.take_up()
    assert first.load() is None
    for epoch in (1, 2, 3):
        first.save(_epoch(epoch))

    second = world.take_up()

    assert second.load() == _epoch(3)
    assert world.stored == {world.digest}
    second.save(_epoch(4))
    assert world.stored == {world.digest}


def test_an_owner_that_lost_the_run_stores_nothing_and_takes_nothing_away(world):
    late = world.take_up()
    late.save(_epoch(1))
    newer = world.take_up()
    newer.save(_epoch(2))

    with pytest.raises(Superseded):
        late.save(_epoch(2))

    assert world.stored == {world.digest}
    assert world.take_up().load() == _epoch(2)


def test_owners_and_runs_never_store_the_same_content():
    contents = {
        _epoch(2).to_bytes(run_id, token) for run_id in ("run", "other") for token in (1, 2)
    }

    assert len(contents) == 4


def test_a_checkpoint_that_is_gone_or_of_another_run_is_none(world):
    first = world.take_up()
    first.save(_epoch(1))
    world.artifacts.delete(world.digest)
    assert world.take_up().load() is None

    foreign = world.artifacts.put(_epoch(5).to_bytes("other", 1))
    run = world.runs.claim("run", "me")
    world.runs.save_checkpoint("run", run.fencing_token, foreign)
    assert world.take_up().load() is None


def test_a_full_volume_keeps_the_one_before(world, monkeypatch):
    checkpoints = world.take_up()
    checkpoints.save(_epoch(1))

    def full(_content):
        raise Exhausted("full")

    with monkeypatch.context() as patch:
        patch.setattr(world.artifacts, "put", full)
        with pytest.raises(Exhausted):
            checkpoints.save(_epoch(2))

    assert world.take_up().load() == _epoch(1)


def test_nothing_is_left_when_the_run_is_over(world):
    checkpoints = world.take_up()
    checkpoints.save(_epoch(1))

    checkpoints.discard()

    assert world.stored == set()


@pytest.mark.parametrize(("epoch", "whole"), [(0, False), (1, True)])
def test_it_is_known_whether_an_epoch_is_complete(world, epoch, whole):
    first = world.take_up()
    assert not first.any_epoch
    first.save(_epoch(epoch))
    assert first.any_epoch is whole

    second = world.take_up()
    second.load()
    assert second.any_epoch is whole
