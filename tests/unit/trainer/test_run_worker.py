import uuid

import pytest
import torch

from fleet_platform.artifacts import MemoryArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.runs import MemoryRunStore
from fleet_platform.sessions import MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig, canonical_json, digest
from fleet_trainer import run_worker
from fleet_trainer.child_reply import ChildReply
from fleet_trainer.run_worker import RunWorker
from tests.unit.trainer.rx_scene import rx_pipeline, write_scene


class _World:
    def __init__(self, folder):
        write_scene(folder / "scene.npz", size=8, bands=5)
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.artifacts = MemoryArtifactStore()
        self.runs = MemoryRunStore()
        self.worker = RunWorker(
            sessions=self.sessions,
            artifacts=self.artifacts,
            runs=self.runs,
            policy=PathPolicy(
                working_dir=folder,
                configs_dir=folder / "configs",
                data_dir=folder,
                output_dir=folder / "outputs",
            ),
            device=torch.device("cpu"),
            owner="child",
            heartbeat_s=0.01,
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
            pipeline=self.sessions.read("session").pipeline,
            data_config_json=canonical_json(DataConfig(**fields)),
        )
        self.runs.create(run)
        self.sessions.update("session", lambda record: setattr(record, "run_id", run.run_id))
        return run.run_id

    def last(self, run_id):
        return pb.TrainResponse.FromString(self.runs.latest(run_id).payload)


@pytest.fixture
def world(tmp_path):
    return _World(tmp_path)


def _let_training(monkeypatch, act):
    monkeypatch.setattr(run_worker, "fit_statistically", lambda *_args, **_parts: act())


def _raising(error):
    def act():
        raise error

    return act


def test_a_run_that_ends_well_leaves_its_weights_in_the_session(world):
    run_id = world.request()

    assert world.worker.execute(run_id) is ChildReply.DONE

    run = world.runs.read(run_id)
    assert run.state == records.RUN_STATE_COMPLETE
    assert run.result_weights_digest == world.sessions.read("session").pipeline.weights_digest
    assert world.last(run_id).message == "Statistical training complete"


def test_training_goes_on_from_the_weights_the_session_has(world):
    world.worker.execute(world.request())
    first = world.sessions.read("session").pipeline.weights_digest

    world.worker.execute(world.request())

    assert world.sessions.read("session").pipeline.weights_digest == first


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("/srv/secret"), "DEFECT"), (MemoryError(), "EXHAUSTED")],
)
def test_a_child_that_may_be_damaged_asks_to_be_replaced(world, monkeypatch, error, reason):
    _let_training(monkeypatch, _raising(error))
    run_id = world.request()

    assert world.worker.execute(run_id) is ChildReply.SPENT

    run = world.runs.read(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, reason)
    assert "secret" not in run.error_text
    assert world.last(run_id).message == run.error_text


def test_an_error_of_the_caller_leaves_the_child_as_good_as_it_was(world):
    run_id = world.request(train_ids=[7])

    assert world.worker.execute(run_id) is ChildReply.DONE

    assert world.runs.read(run_id).error_reason == "INVALID_INPUT"
    assert "measurement 7" in world.last(run_id).message


def test_a_run_that_another_took_over_is_left_to_the_other(world, monkeypatch):
    run_id = world.request()
    _let_training(monkeypatch, lambda: world.runs.claim(run_id, "another"))

    assert world.worker.execute(run_id) is ChildReply.DONE

    assert world.sessions.read("session").pipeline.weights_digest == ""
    assert world.runs.read(run_id).owner == "another"
    assert world.runs.read(run_id).state == records.RUN_STATE_RUNNING


def test_a_newer_run_of_the_session_keeps_its_weights(world, monkeypatch):
    run_id = world.request()
    _let_training(
        monkeypatch,
        lambda: world.sessions.update("session", lambda record: setattr(record, "run_id", "newer")),
    )

    world.worker.execute(run_id)

    assert world.sessions.read("session").pipeline.weights_digest == ""


def test_a_session_that_was_closed_cancels_the_run(world, monkeypatch):
    run_id = world.request()
    _let_training(monkeypatch, lambda: world.sessions.delete("session"))

    assert world.worker.execute(run_id) is ChildReply.DONE

    assert world.runs.read(run_id).state == records.RUN_STATE_CANCELLED
    assert world.last(run_id).message == "Training cancelled; the session was closed"


def test_a_run_that_ended_before_it_was_claimed_is_not_touched(world):
    run_id = world.request()
    world.worker.execute(run_id)
    before = world.runs.read(run_id)

    assert world.worker.execute(run_id) is ChildReply.DONE
    assert world.runs.read(run_id) == before
