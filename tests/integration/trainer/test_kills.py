"""Trainers killed at random moments of a gradient training: only the current epoch is repeated.

The state of a finished run is an artifact named by its content, so that equal names mean weights
that are equal bit for bit. The moments are spread over the whole training, one in each part of it;
`KILLS` is their number.
"""

import os
import random
import time
from collections import Counter

import psutil
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import RUN_STATE_QUEUED, RUN_STATE_RUNNING
from fleet_schemas import TrainRunConfig
from tests.integration.trainer.trainer_process import END_WITHIN_S, TrainerProcess
from tests.support.scenes.gradient_scene import TRAIN, VAL, pipeline_config, training, write_scene
from tests.support.training_client import TrainingClient, read

pytestmark = pytest.mark.timeout(1500)

KILLS = int(os.environ.get("KILLS", "20"))
EPOCHS = 30
ENVIRONMENT = {"LOST_AFTER_S": "2", "HEARTBEAT_S": "0.3"}


def trainrun() -> bytes:
    config = {
        "name": "killed",
        "pipeline": pipeline_config().to_dict(),
        "data": {
            "cu3s_file_path": "gradient.npz",
            "train_ids": TRAIN,
            "val_ids": VAL,
            "batch_size": 1,
        },
        "training": training(
            max_epochs=EPOCHS,
            callbacks={"checkpoint": {"dirpath": "best", "monitor": "val/bce", "save_top_k": 1}},
        ).to_dict(),
        "loss_nodes": ["bce"],
        "metric_nodes": ["metrics_anomaly"],
        "unfreeze_nodes": ["RXGlobal", "ScoreToLogit"],
    }
    return TrainRunConfig.model_validate(config).model_dump_json().encode()


def start(trainer, stores) -> TrainingClient:
    """Return a client that has started the training and read its first message."""
    client = TrainingClient(trainer.stub, stores)
    config = pb.TrainRunConfig(config_bytes=trainrun())
    request = pb.SetTrainRunConfigRequest(session_id=client.session_id, config=config)
    client.stub.SetTrainRunConfig(request, timeout=300)
    next(follow(client))
    return client


def follow(client):
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_GRADIENT)
    return client.stub.Train(request, timeout=600)


def is_active(client) -> bool:
    return client.run.state in {RUN_STATE_QUEUED, RUN_STATE_RUNNING}


def stored(client) -> list[pb.TrainResponse]:
    entries = client.runs.tail(client.session.run_id, wait_s=0.1)
    return [pb.TrainResponse.FromString(entry.payload) for entry in entries]


def kill(trainer) -> None:
    """Kill the trainer and its children at once, as when a host dies."""
    processes = [*trainer.children(), psutil.Process(trainer.process.pid)]
    for process in processes:
        process.kill()
    trainer.process.wait(END_WITHIN_S)


@pytest.fixture(scope="module")
def fleet(folder, redis_server):
    write_scene(folder / "data" / "gradient.npz", size=64)
    trainers = [TrainerProcess(folder, redis_server.url, **ENVIRONMENT) for _ in range(2)]
    with trainers[0], trainers[1]:
        for trainer in trainers:
            trainer.wait_serving()
        yield trainers


def test_a_run_killed_at_random_moments_ends_with_the_same_result(fleet, stores):
    expected, lasts_s = set(), 0.0
    # The first training of a process may wait until all that it needs is imported.
    for trainer in (*fleet, *fleet):
        began_s = time.monotonic()
        undisturbed = start(trainer, stores)
        messages, error = read(follow(undisturbed))
        lasts_s = time.monotonic() - began_s
        assert error is None
        assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
        expected.add(undisturbed.session.pipeline.weights_digest)
    assert len(expected) == 1

    moments = random.Random(20)
    report = []
    for number in range(KILLS):
        victim, survivor = fleet[number % 2], fleet[1 - number % 2]
        client = start(victim, stores)
        after_s = (number + moments.random()) * lasts_s / KILLS
        time.sleep(after_s)  # the random moment is the subject of the test
        before = client.status()
        kill(victim)
        client.stub = survivor.stub
        # A run that had already ended is read from the store: Train would start another one.
        messages, error = read(follow(client)) if is_active(client) else (stored(client), None)
        assert error is None, (number, error)
        assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE, (number, messages[-1].message)
        assert {client.session.pipeline.weights_digest} == expected, number
        begun = Counter(
            message.context.epoch
            for message in messages
            if message.event.hook == pb.TRAIN_HOOK_EPOCH_START
        )
        assert set(begun) == set(range(EPOCHS)), number
        repeated = sum(begun.values()) - EPOCHS
        assert repeated <= 1, (number, begun)
        report.append((round(after_s, 2), before.context.epoch, repeated))
        victim.restart()
        victim.wait_serving()
    print(f"undisturbed: {lasts_s:.2f} s; kill after s, epoch, epochs repeated: {report}")
