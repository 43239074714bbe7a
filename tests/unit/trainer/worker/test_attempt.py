import time
import uuid

import pytest
import torch

from fleet_engine.plugins import PluginLoader
from fleet_platform.errors import DependencyDown
from fleet_platform.files import PathPolicy
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig, canonical_json, digest
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import store_calls as patience
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.training.context import Trained
from fleet_trainer.worker import attempt as run_attempt
from fleet_trainer.worker import session_writer
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.worker.run_worker import RunWorker
from tests.support.polling import wait_until
from tests.support.scenes.rx_scene import rx_pipeline, write_scene


class _World:
    def __init__(self, folder):
        write_scene(folder / "scene.npz", size=8, bands=5)
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.artifacts = MemoryArtifactStore()
        self.runs = MemoryRunStore()
        self.worker = RunWorker(
            sessions=self.sessions,
            artifacts=self.artifacts,
            plugins=PluginLoader(self.artifacts, allowed=False),
            runs=self.runs,
            policy=PathPolicy(
                working_dir=folder,
                configs_dir=folder / "configs",
                data_dir=folder,
                output_dir=folder / "outputs",
            ),
            device=torch.device("cpu"),
            heartbeat_s=0.01,
            read_ahead=1,
            settings_json="{}",
        )
        config_json = canonical_json(PipelineConfig.model_validate(rx_pipeline(bands=5)))
        self.pipeline = records.Pipeline(config_json=config_json, config_digest=digest(config_json))
        self.sessions.create(
            records.SessionRecord(format_version=1, session_id="session", pipeline=self.pipeline)
        )

    def request(self, **data):
        fields = {"cu3s_file_path": "scene.npz", "train_ids": [0, 1, 2]} | data
        run = records.RunRecord(
            format_version=1,
            run_id=str(uuid.uuid4()),
            session_id="session",
            trainer_type=pb.TRAINER_TYPE_STATISTICAL,
            pipeline=self.sessions.read("session").pipeline,
            data_config_json=canonical_json(DataConfig(**fields)),
        )
        self.runs.create(run)
        self.sessions.update("session", lambda record: setattr(record, "run_id", run.run_id))
        return run.run_id

    def execute(self, run_id):
        run = self.runs.claim(run_id, "child")
        return self.worker.execute(Assignment(run_id, run.fencing_token))

    def texts(self, run_id):
        entries = self.runs.tail(run_id, wait_s=0.01)
        return [pb.TrainResponse.FromString(entry.payload).message for entry in entries]

    def last(self, run_id):
        return pb.TrainResponse.FromString(self.runs.latest(run_id).payload)


@pytest.fixture
def world(tmp_path):
    return _World(tmp_path)


def _let_training(monkeypatch, act):
    def train(work):
        act(work)
        return Trained(work.pipeline.config, train_messages.complete_statistical())

    kind = run_attempt._STATISTICAL._replace(train=train)
    monkeypatch.setattr(run_attempt, "_STATISTICAL", kind)


def _raising(error):
    def act(_work):
        raise error

    return act


def test_a_run_that_ends_well_leaves_its_weights_in_the_session(world):
    run_id = world.request()

    assert world.execute(run_id) is ChildReply.DONE

    run = world.runs.read(run_id)
    assert run.state == records.RUN_STATE_COMPLETE
    assert run.result_weights_digest == world.sessions.read("session").pipeline.weights_digest
    assert world.last(run_id).message == "Statistical training complete"


def test_training_goes_on_from_the_weights_the_session_has(world):
    world.execute(world.request())
    first = world.sessions.read("session").pipeline.weights_digest

    world.execute(world.request())

    assert world.sessions.read("session").pipeline.weights_digest == first


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("/srv/secret"), "DEFECT"), (MemoryError(), "EXHAUSTED")],
)
def test_a_child_that_may_be_damaged_asks_to_be_replaced(world, monkeypatch, error, reason):
    _let_training(monkeypatch, _raising(error))
    run_id = world.request()

    assert world.execute(run_id) is ChildReply.SPENT

    run = world.runs.read(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, reason)
    assert "secret" not in run.error_text
    assert world.last(run_id).message == run.error_text


def test_an_error_of_the_caller_leaves_the_child_as_good_as_it_was(world):
    run_id = world.request(train_ids=[7])

    assert world.execute(run_id) is ChildReply.DONE

    assert world.runs.read(run_id).error_reason == "INVALID_INPUT"
    assert "measurement 7" in world.last(run_id).message


def test_a_run_that_another_took_over_is_left_to_the_other(world, monkeypatch):
    run_id = world.request()
    _let_training(monkeypatch, lambda _work: world.runs.claim(run_id, "another"))

    assert world.execute(run_id) is ChildReply.DONE

    assert world.sessions.read("session").pipeline.weights_digest == ""
    assert world.runs.read(run_id).owner == "another"
    assert world.runs.read(run_id).state == records.RUN_STATE_RUNNING


def test_a_run_that_its_session_never_came_to_know_was_never_begun(world, monkeypatch):
    monkeypatch.setattr(session_writer, "_NOTED_WITHIN_S", 0.05)
    run_id = world.request()
    world.sessions.update("session", lambda record: record.ClearField("run_id"))

    assert world.execute(run_id) is ChildReply.DONE

    # In place of such a one its key may begin another.
    assert world.runs.read(run_id).state == records.RUN_STATE_REJECTED
    assert "broke off" in world.last(run_id).message


def test_a_newer_run_of_the_session_keeps_its_weights(world, monkeypatch):
    run_id = world.request()
    _let_training(
        monkeypatch,
        lambda _work: world.sessions.update(
            "session", lambda record: setattr(record, "run_id", "newer")
        ),
    )

    world.execute(run_id)

    assert world.sessions.read("session").pipeline.weights_digest == ""


def test_a_session_that_was_closed_cancels_the_run(world, monkeypatch):
    run_id = world.request()
    _let_training(monkeypatch, lambda _work: world.sessions.delete("session"))

    assert world.execute(run_id) is ChildReply.DONE

    assert world.runs.read(run_id).state == records.RUN_STATE_CANCELLED
    assert world.last(run_id).message == "Training cancelled; the session was closed"


def test_a_run_that_ended_or_has_a_newer_owner_is_not_touched(world):
    run_id = world.request()
    world.execute(run_id)
    before = world.runs.read(run_id)
    assert world.worker.execute(Assignment(run_id, 1)) is ChildReply.DONE
    assert world.runs.read(run_id) == before

    other = world.request()
    world.runs.claim(other, "child")
    world.runs.claim(other, "newer")
    assert world.worker.execute(Assignment(other, 1)) is ChildReply.DONE
    assert world.texts(other) == []


def _wait_for_stop(work):
    deadline_s = time.monotonic() + 10.0
    while not work.should_stop():
        assert time.monotonic() < deadline_s
    raise run_attempt.Cancelled("stopped")


def test_a_run_that_is_to_stop_keeps_what_it_did_until_then(world, monkeypatch):
    run_id = world.request()

    def act(work):
        world.runs.request_stop(run_id)
        work.pipeline.nodes["normalizer"].fitted = True
        _wait_for_stop(work)

    _let_training(monkeypatch, act)

    assert world.execute(run_id) is ChildReply.DONE

    run = world.runs.read(run_id)
    assert run.state == records.RUN_STATE_CANCELLED
    assert world.last(run_id).status == pb.TRAIN_STATUS_CANCELLED
    assert world.last(run_id).message == (
        "Training cancelled; the pipeline holds the state of the last completed step"
    )
    published = world.sessions.read("session").pipeline
    assert published == run.result
    assert b"normalizer" in world.artifacts.get(published.weights_digest)


def test_a_statistical_run_stops_between_nodes_with_those_it_has(world, monkeypatch):
    run_id = world.request()
    real = run_attempt._STATISTICAL.train

    def act(work):
        def should_stop():
            fitted = work.pipeline.nodes["normalizer"].fitted
            if fitted:
                world.runs.request_stop(run_id)
            return fitted

        object.__setattr__(work, "should_stop", should_stop)
        real(work)

    _let_training(monkeypatch, act)
    world.execute(run_id)

    texts = world.texts(run_id)
    assert "Fitted normalizer" in texts
    assert "Fitted detector" not in texts
    assert world.runs.read(run_id).state == records.RUN_STATE_CANCELLED


def test_a_run_that_was_interrupted_says_so_and_starts_again(world):
    run_id = world.request()
    world.runs.release(run_id, world.runs.claim(run_id, "dead").fencing_token, died=True)

    world.execute(run_id)

    texts = world.texts(run_id)
    assert texts[0] == "Started again"
    assert texts[-1] == "Statistical training complete"


def test_a_store_that_stays_away_puts_the_run_back(world, monkeypatch):
    run_id = world.request()
    _let_training(monkeypatch, _raising(DependencyDown("away")))

    assert world.execute(run_id) is ChildReply.DONE

    run = world.runs.read(run_id)
    assert (run.state, run.attempts) == (records.RUN_STATE_QUEUED, 1)


def test_an_artifact_volume_that_is_down_for_a_moment_costs_nothing(world, monkeypatch):
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)
    put, failures = world.artifacts.put, [DependencyDown("away")] * 2

    def flaky(content):
        if failures:
            raise failures.pop()
        return put(content)

    monkeypatch.setattr(world.artifacts, "put", flaky)
    run_id = world.request()

    world.execute(run_id)

    assert world.runs.read(run_id).state == records.RUN_STATE_COMPLETE


def test_a_child_that_is_to_end_gives_its_run_up_for_others(world, monkeypatch):
    run_id = world.request()

    def act(work):
        world.worker.abandon()
        wait_until(work.should_stop, "the work is void", 10.0)
        raise run_attempt.Cancelled("stopped")

    _let_training(monkeypatch, act)

    assert world.execute(run_id) is ChildReply.DONE

    run = world.runs.read(run_id)
    assert (run.state, run.owner) == (records.RUN_STATE_QUEUED, "")
    assert world.sessions.read("session").pipeline.weights_digest == ""
    assert world.runs.latest(run_id) is not None
