import pytest

from fleet_platform.errors import Exhausted
from fleet_platform.runs import Checkpoint
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.worker.checkpoints import Checkpoints
from fleet_trainer.worker.progress import Superseded
from tests.unit.trainer.worker_harness import run_context


class _Stores:
    def __init__(self):
        self.runs = MemoryRunStore()
        self.artifacts = MemoryArtifactStore()
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))

    def claim(self):
        run = self.runs.claim("run", "me")
        return Checkpoints(run_context(run, runs=self.runs, artifacts=self.artifacts))

    @property
    def digest(self):
        return self.runs.read("run").checkpoint_digest

    @property
    def stored(self):
        return set(self.artifacts._contents)


@pytest.fixture
def stores():
    return _Stores()


def _epoch(epoch):
    return Checkpoint(epoch, "ab" * 32, b"state\n%d" % epoch)


def test_the_next_owner_finds_the_newest_and_the_others_are_deleted(stores):
    first = stores.claim()
    assert first.load() is None
    for epoch in (1, 2, 3):
        first.save(_epoch(epoch))

    second = stores.claim()

    assert second.load() == _epoch(3)
    assert stores.stored == {stores.digest}
    second.save(_epoch(4))
    assert stores.stored == {stores.digest}


def test_a_superseded_owner_stores_and_deletes_nothing(stores):
    late = stores.claim()
    late.save(_epoch(1))
    newer = stores.claim()
    newer.save(_epoch(2))

    with pytest.raises(Superseded):
        late.save(_epoch(2))

    assert stores.stored == {stores.digest}
    assert stores.claim().load() == _epoch(2)


def test_owners_and_runs_never_store_the_same_content():
    contents = {
        _epoch(2).to_bytes(run_id, token) for run_id in ("run", "other") for token in (1, 2)
    }

    assert len(contents) == 4


def test_a_missing_checkpoint_and_one_of_another_run_are_ignored(stores):
    first = stores.claim()
    first.save(_epoch(1))
    stores.artifacts.delete(stores.digest)
    assert stores.claim().load() is None

    of_another_run = stores.artifacts.put(_epoch(5).to_bytes("other", 1))
    run = stores.runs.claim("run", "me")
    stores.runs.save_checkpoint("run", run.fencing_token, of_another_run)
    assert stores.claim().load() is None


def test_a_full_volume_keeps_the_previous_checkpoint(stores, monkeypatch):
    checkpoints = stores.claim()
    checkpoints.save(_epoch(1))

    def full(_content):
        raise Exhausted("full")

    with monkeypatch.context() as patch:
        patch.setattr(stores.artifacts, "put", full)
        with pytest.raises(Exhausted):
            checkpoints.save(_epoch(2))

    assert stores.claim().load() == _epoch(1)


def test_the_checkpoint_is_deleted_when_the_run_has_ended(stores):
    checkpoints = stores.claim()
    checkpoints.save(_epoch(1))

    checkpoints.discard()

    assert stores.stored == set()


@pytest.mark.parametrize(("epoch", "whole"), [(0, False), (1, True)])
def test_any_epoch_reports_whether_an_epoch_is_complete(stores, epoch, whole):
    first = stores.claim()
    assert not first.any_epoch
    first.save(_epoch(epoch))
    assert first.any_epoch is whole

    second = stores.claim()
    second.load()
    assert second.any_epoch is whole
