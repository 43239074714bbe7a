import signal

import grpc
import psutil
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import RUN_STATE_QUEUED
from tests.integration.trainer.trainer_process import END_WITHIN_S, TrainerProcess
from tests.support.otlp_receiver import otlp_receiver
from tests.support.polling import wait_until
from tests.support.training_client import CALL_WITHIN_S, TrainingClient, read

# Each trainer imports torch twice, which takes almost a minute on a busy machine.
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def receiver():
    with otlp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def trainer(folder, redis_server, receiver):
    endpoint = receiver.endpoint
    process = TrainerProcess(folder, redis_server.url, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    with process as trainer:
        yield trainer.wait_serving()


@pytest.fixture
def client(trainer, stores):
    client = TrainingClient(trainer.stub, stores)
    client.apply()
    return client


def test_a_training_is_one_trace_from_the_call_into_the_worker(client, receiver):
    request = pb.TrainRequest(
        session_id=client.session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL
    )
    metadata = (("traceparent", TRACEPARENT),)
    list(client.stub.Train(request, metadata=metadata, timeout=CALL_WITHIN_S))

    def spans(received):
        return {span.name: span for span in received if span.trace_id == TRACE_ID}

    received = receiver.wait_for(
        lambda received: (
            {"trainer.run", "cuvis_ai.v1.CuvisAIService/Train"} <= spans(received).keys()
        )
    )
    trace = spans(received)
    run = trace["trainer.run"]
    assert run.parent_id == trace["cuvis_ai.v1.CuvisAIService/Train"].span_id
    assert trace["engine.fit"].parent_id == run.span_id
    assert trace["artifacts.put"].parent_id == run.span_id
    assert run.attributes["fleet.session_id"] == client.session_id


def test_a_training_survives_a_restart_of_the_store(client, trainer, redis_server):
    stream = client.train_long()
    next(stream)

    redis_server.stop()
    _, error = read(stream)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    redis_server.start()
    trainer.wait_serving()
    wait_until(lambda: client.status().status == pb.TRAIN_STATUS_COMPLETE, "the end", CALL_WITHIN_S)

    assert client.session.pipeline.weights_digest == client.run.result_weights_digest != ""


def test_a_stopped_trainer_ends_its_workers_and_releases_its_run(client, trainer):
    next(client.train_long(passes=200))
    children = trainer.children()
    assert len(children) == 1

    assert trainer.end(signal.SIGTERM) == 0

    assert psutil.wait_procs(children, END_WITHIN_S)[1] == []
    assert (client.run.state, client.run.owner) == (RUN_STATE_QUEUED, "")
    assert client.run.attempts == 0
