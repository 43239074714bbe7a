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
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.supervisor.recovery import MAX_ATTEMPTS, RunRecovery

DEATH = DependencyDown("The training process was killed by signal 9.")


class _Owner:
    """Claims the only run of the stores."""

    def __init__(self):
        self.runs = MemoryRunStore()
        self.artifacts = MemoryArtifactStore()
        self.recovery = RunRecovery(self.runs, self.artifacts)
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))

    def claim(self):
        run = self.runs.claim("run", "worker")
        return Assignment(run.run_id, run.fencing_token)

    @property
    def run(self):
        return self.runs.read("run")


@pytest.fixture
def owner():
    return _Owner()


def test_a_run_whose_owner_died_waits_for_the_next_owner(owner):
    owner.recovery.worker_died(owner.claim(), DEATH)

    assert (owner.run.state, owner.run.attempts) == (RUN_STATE_QUEUED, 1)
    assert owner.runs.latest("run") is None


def test_a_run_whose_owners_keep_dying_fails_with_the_cause(owner):
    for _ in range(MAX_ATTEMPTS):
        assert owner.run.state == RUN_STATE_QUEUED
        owner.recovery.worker_died(owner.claim(), DEATH)

    last = pb.TrainResponse.FromString(owner.runs.latest("run").payload)
    assert (owner.run.state, owner.run.error_reason) == (RUN_STATE_FAILED, "DEPENDENCY_DOWN")
    assert last.status == pb.TRAIN_STATUS_ERROR
    assert last.message == owner.run.error_text
    assert "killed by signal 9" in last.message
    assert "started 3 times" in last.message


def test_each_checkpoint_resets_the_number_of_attempts(owner):
    for number in range(3 * MAX_ATTEMPTS):
        assignment = owner.claim()
        owner.runs.save_checkpoint("run", assignment.fencing_token, f"{number:064x}")
        owner.recovery.worker_died(assignment, DEATH)

    assert owner.run.state == RUN_STATE_QUEUED
    assert owner.run.checkpoint_digest == f"{3 * MAX_ATTEMPTS - 1:064x}"


def test_the_checkpoint_of_a_hopeless_run_is_deleted(owner):
    digest = owner.artifacts.put(b"checkpoint")
    owner.runs.save_checkpoint("run", owner.claim().fencing_token, digest)
    for _ in range(MAX_ATTEMPTS):
        owner.recovery.worker_died(owner.claim(), DEATH)

    assert owner.run.state == RUN_STATE_FAILED
    assert not owner.artifacts.exists(digest)


def test_a_released_run_loses_no_attempt(owner):
    for _ in range(5 * MAX_ATTEMPTS):
        owner.recovery.run_released(owner.claim())

    assert (owner.run.state, owner.run.attempts) == (RUN_STATE_QUEUED, 0)


def test_a_run_with_a_new_owner_is_left_to_it(owner):
    late = owner.claim()
    owner.claim()

    owner.recovery.worker_died(late, DEATH)
    owner.recovery.run_released(late)

    assert (owner.run.state, owner.run.fencing_token) == (RUN_STATE_RUNNING, 2)


def test_an_ended_run_does_not_change(owner):
    assignment = owner.claim()
    message = messages.complete_statistical().SerializeToString()
    owner.runs.finish(outcomes.completed(owner.run, Pipeline(weights_digest="00")), message)

    owner.recovery.worker_died(assignment, DEATH)
    owner.recovery.run_released(assignment)

    assert owner.run.state == RUN_STATE_COMPLETE
    assert owner.run.result.weights_digest == owner.run.result_weights_digest == "00"


def test_an_expired_run_is_ignored(owner):
    owner.recovery.worker_died(Assignment("never-was", 1), DEATH)

    assert owner.run.state == RUN_STATE_QUEUED


def test_an_unavailable_store_raises_no_second_error(owner, monkeypatch):
    def away(*_):
        raise DependencyDown("away")

    assignment = owner.claim()
    with monkeypatch.context() as patch:
        patch.setattr(owner.runs, "read", away)
        owner.recovery.worker_died(assignment, DEATH)

    assert owner.run.state == RUN_STATE_RUNNING
