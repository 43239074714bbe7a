"""Two trainers receive calls for the same training at the same time."""

import threading
import uuid

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.runs.key import run_id_of
from tests.integration.trainer.trainer_process import TrainerProcess
from tests.support.training_client import CALL_WITHIN_S, TrainingClient, read

# Each trainer imports torch twice, which takes almost a minute on a busy machine.
ROUNDS = 10


def test_calls_with_one_key_at_two_trainers_create_one_run(folder, redis_server, stores):
    with (
        TrainerProcess(folder, redis_server.url) as first,
        TrainerProcess(folder, redis_server.url) as second,
    ):
        trainers = [each.wait_serving() for each in (first, second)]
        for _ in range(ROUNDS):
            client = TrainingClient(first.stub, stores)
            client.apply()
            _train_at_all(client, trainers)


def _train_at_all(client, trainers):
    key = uuid.uuid4().hex
    request = pb.TrainRequest(
        session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL
    )
    together = threading.Barrier(len(trainers))
    received = []

    def train(trainer):
        together.wait(CALL_WITHIN_S)
        stream = trainer.stub.Train(
            request, metadata=(("x-fleet-training-key", key),), timeout=CALL_WITHIN_S
        )
        messages, error = read(stream)
        assert error is None
        received.append([each for each in messages if "queued," not in each.message])

    threads = [threading.Thread(target=train, args=(each,)) for each in trainers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CALL_WITHIN_S)

    run_id = run_id_of(client.session_id, key)
    assert client.session.run_id == run_id
    stored = [entry.payload for entry in client.runs.tail(run_id, wait_s=0.01)]
    expected = [pb.TrainResponse.FromString(each) for each in stored]
    assert received == [expected] * len(trainers)
    assert expected[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert [each.message for each in expected].count("Starting statistical training") == 1
    assert client.runs.active() == []
