"""A caller that has left gets no new training; an existing training waits without its caller."""

import pytest

from fleet_platform.errors import Cancelled, DeadlinePassed
from fleet_platform.testing import MemoryRunStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.api.servicer import TrainerServicer
from fleet_trainer.runs.launcher import RunLauncher
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.runs.training_runs import TrainingRuns
from tests.support.network.waiting_call import WaitingCall
from tests.unit.trainer.fake_executor import FakeExecutor

REQUEST = pb.TrainRequest(
    session_id="session",
    trainer_type=pb.TRAINER_TYPE_STATISTICAL,
    data=pb.DataConfig(config_bytes=b'{"cu3s_file_path": "a.npz", "train_ids": [0]}'),
)


@pytest.fixture
def runs():
    return MemoryRunStore()


@pytest.fixture
def servicer(runs):
    """A servicer with a session that could train, and no free slot."""
    sessions = MemorySessionStore(ttl_s=60.0)
    pipeline = records.Pipeline(config_json=b"{}", config_digest="one")
    sessions.create(
        records.SessionRecord(format_version=1, session_id="session", pipeline=pipeline)
    )
    queue = RunQueue(runs=runs, executor=FakeExecutor(free=0), owner="trainer", limit=1)
    parts = {"sessions": sessions, "runs": runs, "queue": queue}
    # Paths do not matter, as the request contains its data, nor do the other methods.
    return TrainerServicer(
        sessions=sessions,
        runs=TrainingRuns(**parts),
        launcher=RunLauncher(**parts),
        setup=None,
        saving=None,
        restoring=None,
        paths=None,
    )


@pytest.mark.parametrize(("left_s", "error"), [(0.0, DeadlinePassed), (None, Cancelled)])
def test_a_caller_that_has_left_gets_no_training(servicer, runs, left_s, error):
    call = WaitingCall(left_s)
    call.has_left = left_s is None
    with pytest.raises(error):
        servicer.train(REQUEST, call)
    assert runs.active() == []


def test_an_existing_training_waits_without_its_caller_until_it_is_stopped(servicer, runs):
    call = WaitingCall()
    messages = servicer.train(REQUEST, call)
    assert "wait" in next(messages).message.lower()
    call.has_left = True
    assert list(messages) == []
    assert [run.queued for run in runs.active()] == [True]
    assert servicer.stop_train(pb.StopTrainRequest(session_id="session"), WaitingCall()).accepted
    assert runs.active() == []
