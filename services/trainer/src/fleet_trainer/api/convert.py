"""From the messages of the wire to what the trainer works with."""

from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_UNSPECIFIED,
    TrainerType,
    TrainRequest,
)
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import DataConfig, TrainingConfig, canonical_json, parse_config


def trainer_type_of(request: TrainRequest) -> TrainerType.ValueType:
    """The kind of training that is asked for.

    Raises:
        InvalidInput: none, or one that the wire does not know.
    """
    wanted = request.trainer_type
    known = {number: name for name, number in TrainerType.items()}
    del known[TRAINER_TYPE_UNSPECIFIED]
    if wanted in known:
        return wanted
    choices = ", ".join(f"{name} ({number})" for number, name in sorted(known.items()))
    raise InvalidInput(f"trainer_type {wanted} is unknown. Send one of: {choices}.")


def data_config_of(request: TrainRequest, session: SessionRecord) -> DataConfig:
    """The data to train on: the request's before the session's.

    Raises:
        InvalidInput: there are none, or the request's are malformed.
    """
    if request.HasField("data"):
        return parse_config(DataConfig, request.data.config_bytes, "data")
    if session.data_config_json:
        return parse_config(DataConfig, session.data_config_json, "data")
    raise InvalidInput(
        "There is no data to train on. Send it as 'data' of the TrainRequest, or in a"
        " trainrun with SetTrainRunConfig."
    )


def training_config_json(request: TrainRequest, session: SessionRecord) -> bytes:
    """The training settings as canonical JSON: the request's before the session's; empty: neither.

    Raises:
        InvalidInput: the request's are malformed.
    """
    if request.training.config_bytes:
        training = parse_config(TrainingConfig, request.training.config_bytes, "training")
        return canonical_json(training)
    return session.training_config_json
