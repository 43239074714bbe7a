import time

import pytest

from fleet_platform.errors import Cancelled, DependencyDown
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig
from fleet_trainer.runs import messages
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.training.context import Trained
from fleet_trainer.training.statistical import train_statistically
from fleet_trainer.worker.messages import Finished
from tests.support.polling import wait_until
from tests.support.scenes.rx_scene import rx_pipeline, write_scene
from tests.unit.trainer.worker_harness import WorkerHarness


class _StatisticalHarness(WorkerHarness):
    """All its runs belong to one session."""

    def __init__(self, folder):
        super().__init__(folder, PipelineConfig.model_validate(rx_pipeline(bands=5)))
        write_scene(folder / "scene.npz", size=8, bands=5)
        self.sessions.create(records.SessionRecord(session_id="session", pipeline=self.pipeline))

    def request(self, **data):
        fields = {"cu3s_file_path": "scene.npz", "train_ids": [0, 1, 2]} | data
        return self.create(pb.TRAINER_TYPE_STATISTICAL, DataConfig(**fields), session_id="session")

    def train_with(self, act):
        """Replace the training by `act`, a function of the pipeline and the owner."""

        def train(_context, pipeline, owner):
            act(pipeline, owner)
            return Trained(pipeline.config, messages.complete_statistical())

        self.train_by(train)


@pytest.fixture
def harness(tmp_path):
    return _StatisticalHarness(tmp_path)


def _raising(error):
    def act(_pipeline, _owner):
        raise error

    return act


def test_a_successful_run_leaves_its_weights_in_the_session(harness):
    run_id = harness.request()

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    assert run.state == records.RUN_STATE_COMPLETE
    assert run.result_weights_digest == harness.published(run_id).weights_digest
    assert harness.last(run_id).message == "Statistical training complete"


def test_training_continues_from_the_weights_of_the_session(harness):
    run_id = harness.request()
    harness.execute(run_id)
    first = harness.published(run_id).weights_digest

    harness.execute(harness.request())

    assert harness.published(run_id).weights_digest == first


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("/srv/secret"), "DEFECT"), (MemoryError(), "EXHAUSTED")],
)
def test_a_worker_that_may_be_damaged_asks_to_be_replaced(harness, error, reason):
    harness.train_with(_raising(error))
    run_id = harness.request()

    assert harness.execute(run_id) == Finished(is_spent=True)

    run = harness.run(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, reason)
    assert "secret" not in run.error_text
    assert harness.last(run_id).message == run.error_text


def test_an_error_of_the_caller_does_not_spend_the_worker(harness):
    run_id = harness.request(train_ids=[7])

    assert harness.execute(run_id) == Finished(is_spent=False)

    assert harness.run(run_id).error_reason == "INVALID_INPUT"
    assert "measurement 7" in harness.last(run_id).message


def test_a_run_with_a_new_owner_is_left_to_that_owner(harness):
    run_id = harness.request()
    harness.train_with(lambda *_: harness.runs.claim(run_id, "another"))

    assert harness.execute(run_id) == Finished(is_spent=False)

    assert harness.published(run_id).weights_digest == ""
    assert harness.run(run_id).owner == "another"
    assert harness.run(run_id).state == records.RUN_STATE_RUNNING


def test_a_run_that_its_session_does_not_know_is_rejected(harness):
    harness.worker.launched_within_s = 0.05
    run_id = harness.request()
    harness.sessions.update("session", lambda record: record.ClearField("run_id"))

    assert harness.execute(run_id) == Finished(is_spent=False)

    # Its key may launch another run in its place.
    assert harness.run(run_id).state == records.RUN_STATE_REJECTED
    assert "broke off" in harness.last(run_id).message


def test_a_newer_run_of_the_session_keeps_its_weights(harness):
    run_id = harness.request()
    harness.train_with(
        lambda *_: harness.sessions.update(
            "session", lambda record: setattr(record, "run_id", "newer")
        )
    )

    harness.execute(run_id)

    assert harness.published(run_id).weights_digest == ""


def test_a_closed_session_cancels_the_run(harness):
    run_id = harness.request()
    harness.train_with(lambda *_: harness.sessions.delete("session"))

    assert harness.execute(run_id) == Finished(is_spent=False)

    assert harness.run(run_id).state == records.RUN_STATE_CANCELLED
    assert harness.last(run_id).message == "Training cancelled; the session was closed"


def test_a_run_that_has_ended_or_has_a_newer_owner_is_not_touched(harness):
    run_id = harness.request()
    harness.execute(run_id)
    before = harness.run(run_id)
    assert harness.worker.execute(Assignment(run_id, 1)) == Finished(is_spent=False)
    assert harness.run(run_id) == before

    other = harness.request()
    harness.runs.claim(other, "worker")
    harness.runs.claim(other, "newer")
    assert harness.worker.execute(Assignment(other, 1)) == Finished(is_spent=False)
    assert harness.texts(other) == []


def _wait_for_stop(owner):
    deadline_s = time.monotonic() + 10.0
    while not owner.should_stop():
        assert time.monotonic() < deadline_s
    raise Cancelled("stopped")


def test_a_stopped_run_publishes_its_state(harness):
    run_id = harness.request()

    def act(pipeline, owner):
        harness.runs.request_stop(run_id)
        pipeline.nodes["normalizer"].fitted = True
        _wait_for_stop(owner)

    harness.train_with(act)

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    assert run.state == records.RUN_STATE_CANCELLED
    assert harness.last(run_id).status == pb.TRAIN_STATUS_CANCELLED
    assert harness.last(run_id).message == (
        "Training cancelled; the pipeline holds the state of the last completed step"
    )
    published = harness.published(run_id)
    assert published == run.result
    assert b"normalizer" in harness.artifacts.get(published.weights_digest)


def test_a_statistical_run_stops_between_nodes_and_keeps_the_fitted_ones(harness):
    run_id = harness.request()

    def train(context, pipeline, owner):
        def should_stop():
            fitted = pipeline.nodes["normalizer"].fitted
            if fitted:
                harness.runs.request_stop(run_id)
            return fitted

        owner.should_stop = should_stop
        return train_statistically(context, pipeline, owner)

    harness.train_by(train)
    harness.execute(run_id)

    texts = harness.texts(run_id)
    assert "Fitted normalizer" in texts
    assert "Fitted detector" not in texts
    assert harness.run(run_id).state == records.RUN_STATE_CANCELLED


def test_an_interrupted_run_reports_that_it_starts_again(harness):
    run_id = harness.request()
    harness.runs.release(run_id, harness.runs.claim(run_id, "dead").fencing_token, died=True)

    harness.execute(run_id)

    texts = harness.texts(run_id)
    assert texts[0] == "Started again"
    assert texts[-1] == "Statistical training complete"


def test_a_store_that_stays_unavailable_returns_the_run_to_the_queue(harness):
    run_id = harness.request()
    harness.train_with(_raising(DependencyDown("away")))

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    assert (run.state, run.attempts) == (records.RUN_STATE_QUEUED, 1)


def test_a_briefly_unavailable_artifact_volume_does_not_fail_the_run(harness, monkeypatch):
    put, failures = harness.artifacts.put, [DependencyDown("away")] * 2

    def flaky(content):
        if failures:
            raise failures.pop()
        return put(content)

    monkeypatch.setattr(harness.artifacts, "put", flaky)
    run_id = harness.request()

    harness.execute(run_id)

    assert harness.run(run_id).state == records.RUN_STATE_COMPLETE


def test_a_worker_that_must_exit_returns_its_run_to_the_queue(harness):
    run_id = harness.request()

    def act(_pipeline, owner):
        harness.worker.abandon()
        wait_until(owner.should_stop, "the work is void", 10.0)
        raise Cancelled("stopped")

    harness.train_with(act)

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    assert (run.state, run.owner) == (records.RUN_STATE_QUEUED, "")
    assert harness.published(run_id).weights_digest == ""
    assert harness.runs.latest(run_id) is not None
