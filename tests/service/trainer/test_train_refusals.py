import json
import uuid

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.training_client import CALL_WITHIN_S, read


def _refusal(call):
    with pytest.raises(grpc.RpcError) as refused:
        list(call) if hasattr(call, "__iter__") else call()
    return refused.value


def _train(client, **fields):
    request = pb.TrainRequest(session_id=client.session_id, **fields)
    return client.stub.Train(request, timeout=CALL_WITHIN_S)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Train", {"trainer_type": pb.TRAINER_TYPE_STATISTICAL}),
        ("GetTrainStatus", {}),
        ("SetTrainRunConfig", {}),
    ],
)
def test_an_unknown_session_is_reported_before_anything_else(client, name, fields):
    request = getattr(pb, f"{name}Request")(session_id=str(uuid.uuid4()), **fields)
    call = getattr(client.stub, name)

    def make():
        answer = call(request, timeout=CALL_WITHIN_S)
        return list(answer) if name == "Train" else answer

    error = _refusal(make)
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "CreateSession" in error.details()


def test_a_session_without_a_pipeline_names_the_calls_to_make(client):
    error = _refusal(_train(client, trainer_type=pb.TRAINER_TYPE_STATISTICAL))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "LoadPipeline or SetTrainRunConfig" in error.details()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (0, grpc.StatusCode.INVALID_ARGUMENT),
        (9, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_an_unknown_type_of_training_lists_the_known_types(client, number, code):
    client.apply()

    error = _refusal(_train(client, trainer_type=number))

    assert error.code() is code
    assert "TRAINER_TYPE_STATISTICAL" in error.details()


def test_missing_data_name_the_calls_that_accept_them(client):
    client.apply()
    client.sessions.update(client.session_id, lambda record: record.ClearField("data_config_json"))

    error = _refusal(client.train())

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "TrainRequest" in error.details()
    assert "SetTrainRunConfig" in error.details()


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[]", b'{"train_ids": [0]}'])
def test_malformed_data_are_refused_before_a_run_is_created(client, raw):
    client.apply()

    error = _refusal(
        _train(
            client,
            trainer_type=pb.TRAINER_TYPE_STATISTICAL,
            data=pb.DataConfig(config_bytes=raw),
        )
    )

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert client.session.run_id == ""


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        ({"cu3s_file_path": "missing.npz"}, grpc.StatusCode.NOT_FOUND, "missing.npz"),
        ({"cu3s_file_path": "/etc/passwd"}, grpc.StatusCode.INVALID_ARGUMENT, "/etc/passwd"),
        ({"cu3s_file_path": "broken.npz"}, grpc.StatusCode.INVALID_ARGUMENT, "broken.npz"),
        ({"train_ids": [0, 3]}, grpc.StatusCode.INVALID_ARGUMENT, "measurement 3"),
        ({"cu3s_file_path": "narrow.npz"}, grpc.StatusCode.INVALID_ARGUMENT, "61"),
        ({"annotation_json_path": "no.json"}, grpc.StatusCode.NOT_FOUND, "no.json"),
    ],
)
def test_an_error_during_training_is_the_last_message_and_then_the_status(client, data, code, text):
    client.apply()
    chosen = {"cu3s_file_path": "scene.npz", "train_ids": [0, 1, 2]} | data

    messages, error = read(client.train(**chosen))

    assert messages[0].message == "Starting statistical training"
    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    assert [message.status for message in messages].count(pb.TRAIN_STATUS_ERROR) == 1
    assert error.code() is code
    assert text in messages[-1].message
    assert messages[-1].message == error.details()
    assert client.status() == messages[-1]
    assert client.session.pipeline.weights_digest == ""
    assert read(client.train())[1] is None, "the session stays usable"


def test_an_error_in_a_trainrun_names_its_place(client):
    config = json.dumps({"name": "x", "data": {"cu3s_file_path": 3}}).encode()
    request = pb.SetTrainRunConfigRequest(
        session_id=client.session_id, config=pb.TrainRunConfig(config_bytes=config)
    )

    error = _refusal(lambda: client.stub.SetTrainRunConfig(request, timeout=CALL_WITHIN_S))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "data.cu3s_file_path" in error.details()
