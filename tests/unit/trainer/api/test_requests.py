import json

import pytest

from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import DataConfig, canonical_json
from fleet_trainer.api import requests


def _data(**fields):
    return pb.DataConfig(config_bytes=json.dumps({"cu3s_file_path": "a.npz", **fields}).encode())


@pytest.mark.parametrize("name", ["STATISTICAL", "GRADIENT", "CALIBRATION"])
def test_every_type_of_the_wire_is_known(name):
    number = pb.TrainerType.Value(f"TRAINER_TYPE_{name}")

    assert requests.trainer_type_of(pb.TrainRequest(trainer_type=number)) == number


@pytest.mark.parametrize("number", [0, 9, -1])
def test_an_unknown_type_lists_the_types(number):
    with pytest.raises(InvalidInput, match=rf"{number} is unknown.*TRAINER_TYPE_GRADIENT \(2\)"):
        requests.trainer_type_of(pb.TrainRequest(trainer_type=number))


def test_data_of_the_request_take_precedence_over_the_sessions():
    kept = canonical_json(DataConfig(cu3s_file_path="kept.npz", train_ids=[1]))
    session = SessionRecord(data_config_json=kept)

    sent = requests.data_config_of(pb.TrainRequest(data=_data(train_ids=[0, 2])), session)

    assert sent.train_ids == [0, 2]
    assert canonical_json(requests.data_config_of(pb.TrainRequest(), session)) == kept


def test_missing_data_name_the_calls_that_accept_them():
    with pytest.raises(InvalidInput, match="SetTrainRunConfig"):
        requests.data_config_of(pb.TrainRequest(), SessionRecord())


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"cu3s_file_path": 3}'])
def test_malformed_data_are_refused(raw):
    request = pb.TrainRequest(data=pb.DataConfig(config_bytes=raw))

    with pytest.raises(InvalidInput, match="data"):
        requests.data_config_of(request, SessionRecord())


def test_training_settings_of_the_request_take_precedence_over_the_sessions():
    session = SessionRecord(training_config_json=b'{"seed":1}')
    request = pb.TrainRequest(training=pb.TrainingConfig(config_bytes=b'{"seed": 7}'))

    assert json.loads(requests.training_config_json(request, session))["seed"] == 7
    assert requests.training_config_json(pb.TrainRequest(), session) == b'{"seed":1}'


def test_malformed_training_settings_are_refused():
    request = pb.TrainRequest(training=pb.TrainingConfig(config_bytes=b'{"sede": 7}'))

    with pytest.raises(InvalidInput, match="sede"):
        requests.training_config_json(request, SessionRecord())
