import pytest

from fleet_platform.errors import DependencyDown
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import (
    RUN_STATE_COMPLETE,
    RUN_STATE_FAILED,
    RUN_STATE_QUEUED,
    RUN_STATE_RUNNING,
    Pipeline,
    RunRecord,
)
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.supervisor.recovery import MAX_ATTEMPTS, InterruptedRuns

DEATH = DependencyDown("The process that trained was killed by signal 9.")


class _World:
    def __init__(self):
        self.runs = MemoryRunStore()
        self.artifacts = MemoryArtifactStore()
        self.interrupted = InterruptedRuns(self.runs, self.artifacts)
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))

    def claim(self):
        run = self.runs.claim("run", "child")
        return Assignment(run.run_id, run.fencing_token)

    @property
    def run(self):
        return self.runs.read("run")


@pytest.fixture
def world():
    return _World()


def test_a_run_whose_owner_died_waits_to_be_taken_up_again(world):
    world.interrupted.died(world.claim(), DEATH)

    assert (world.run.state, world.run.attempts) == (RUN_STATE_QUEUED, 1)
    assert world.runs.latest("run") is None


def test_a_run_that_keeps_losing_its_owner_ends_with_what_killed_it(world):
    for _ in range(MAX_ATTEMPTS):
        assert world.run.state == RUN_STATE_QUEUED
        world.interrupted.died(world.claim(), DEATH)

    last = pb.TrainResponse.FromString(world.runs.latest("run").payload)
    assert (world.run.state, world.run.error_reason) == (RUN_STATE_FAILED, "DEPENDENCY_DOWN")
    assert last.status == pb.TRAIN_STATUS_ERROR
    assert last.message == world.run.error_text
    assert "killed by signal 9" in last.message
    assert "begun 3 times" in last.message


def test_each_checkpoint_gives_a_run_all_its_attempts_again(world):
    for number in range(3 * MAX_ATTEMPTS):
        assignment = world.claim()
        world.runs.save_checkpoint("run", assignment.fencing_token, f"{number:064x}")
        world.interrupted.died(assignment, DEATH)

    assert world.run.state == RUN_STATE_QUEUED
    assert world.run.checkpoint_digest == f"{3 * MAX_ATTEMPTS - 1:064x}"


def test_the_checkpoint_of_a_hopeless_run_is_not_left_behind(world):
    digest = world.artifacts.put(b"checkpoint")
    world.runs.save_checkpoint("run", world.claim().fencing_token, digest)
    for _ in range(MAX_ATTEMPTS):
        world.interrupted.died(world.claim(), DEATH)

    assert world.run.state == RUN_STATE_FAILED
    assert not world.artifacts.exists(digest)


def test_a_run_that_was_given_back_loses_no_attempt(world):
    for _ in range(5 * MAX_ATTEMPTS):
        world.interrupted.given_back(world.claim())

    assert (world.run.state, world.run.attempts) == (RUN_STATE_QUEUED, 0)


def test_a_run_that_another_holds_is_left_to_it(world):
    late = world.claim()
    world.claim()

    world.interrupted.died(late, DEATH)
    world.interrupted.given_back(late)

    assert (world.run.state, world.run.fencing_token) == (RUN_STATE_RUNNING, 2)


def test_a_run_that_ended_stays_as_it_ended(world):
    assignment = world.claim()
    message = train_messages.complete_statistical().SerializeToString()
    world.runs.finish(run_endings.completed(world.run, Pipeline(weights_digest="00")), message)

    world.interrupted.died(assignment, DEATH)
    world.interrupted.given_back(assignment)

    assert world.run.state == RUN_STATE_COMPLETE
    assert world.run.result.weights_digest == world.run.result_weights_digest == "00"


def test_a_run_that_is_forgotten_is_left_alone(world):
    world.interrupted.died(Assignment("never-was", 1), DEATH)

    assert world.run.state == RUN_STATE_QUEUED


def test_a_store_that_is_away_is_no_second_failure(world, monkeypatch):
    def away(*_):
        raise DependencyDown("away")

    assignment = world.claim()
    with monkeypatch.context() as patch:
        patch.setattr(world.runs, "read", away)
        world.interrupted.died(assignment, DEATH)

    assert world.run.state == RUN_STATE_RUNNING
