"""Runs that the service trains in two processes."""

import pytest

from fleet_engine import build_pipeline
from fleet_engine.weights import from_safetensors, state_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas import PipelineConfig, parse_config
from tests.support.scenes.gradient_scene import TRAIN
from tests.support.training_client import TrainingClient, read

# Two more processes import torch, which takes almost a minute on a busy machine.


def trained(client: TrainingClient):
    stored = client.session.pipeline
    pipeline = build_pipeline(parse_config(PipelineConfig, stored.config_json, "pipeline"))
    from_safetensors(pipeline, client.artifacts.get(stored.weights_digest))
    return {
        f"{name}.{key}": value
        for name, values in state_of(pipeline).items()
        for key, value in values.items()
    }


def run(client: TrainingClient, kind, **settings):
    client.apply_gradient(**settings)
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=kind)
    messages, error = read(client.stub.Train(request, timeout=300))
    assert error is None, error
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    return messages


def test_two_processes_compute_the_same_statistics_as_one(client, settings):
    together = TrainingClient(client.stub, settings)
    run(client, pb.TRAINER_TYPE_STATISTICAL)
    run(together, pb.TRAINER_TYPE_STATISTICAL, devices=2)
    shared = trained(together)
    for key, value in trained(client).items():
        assert value.equal(shared[key]), key


def test_two_processes_train_by_gradient(client):
    messages = run(client, pb.TRAINER_TYPE_GRADIENT, devices=2, max_epochs=3)
    starts = [m for m in messages if m.event.hook == pb.TRAIN_HOOK_EPOCH_START]
    assert [m.context.epoch for m in starts] == [0, 1, 2]
    # An odd number of measurements: one is read twice, so that both have the same number.
    assert {m.event.progress.total for m in starts} == {len(TRAIN) + 1}
    ends = [m for m in messages if m.event.hook == pb.TRAIN_HOOK_VALIDATION_END]
    assert ends[-1].losses["val_loss"] < ends[0].losses["val_loss"]


def test_the_failure_of_another_process_is_reported(client):
    client.apply_gradient(devices=2, optimizer={"name": "sgd", "lr": 1.0}, max_epochs=50)
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_GRADIENT)
    request.data.config_bytes = b'{"cu3s_file_path": "scene.npz", "train_ids": [0, 1]}'
    messages, error = read(client.stub.Train(request, timeout=300))
    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    assert error is not None
    assert error.code().name == "INVALID_ARGUMENT"
    assert messages[-1].message == error.details()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"devices": 4096}, "training.devices is 4096, but this server has"),
        ({"num_nodes": 2}, "trains on one host"),
        ({"devices": "two"}, "neither a number nor a list"),
        ({"strategy": "fsdp"}, "training.strategy 'fsdp' is unknown"),
    ],
)
def test_settings_that_exceed_this_host_are_refused(client, asked, text):
    client.apply_gradient(**asked)
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_GRADIENT)
    messages, error = read(client.stub.Train(request, timeout=300))
    assert text in messages[-1].message
    assert error.code().name == "INVALID_ARGUMENT"
