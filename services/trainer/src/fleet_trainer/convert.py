"""From the messages of the wire to what the trainer works with."""

from fleet_platform.errors import InvalidInput, NotImplementedYet
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_STATISTICAL,
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
        NotImplementedYet: one that this release does not have.
    """
    wanted = request.trainer_type
    if wanted == TRAINER_TYPE_STATISTICAL:
        return wanted
    known = {number: name for name, number in TrainerType.items()}
    if wanted in known and wanted != TRAINER_TYPE_UNSPECIFIED:
        raise NotImplementedYet(
            f"{known[wanted]} comes in a later release; TRAINER_TYPE_STATISTICAL is available."
        )
    del known[TRAINER_TYPE_UNSPECIFIED]
    choices = ", ".join(f"{name} ({number})" for number, name in sorted(known.items()))
    raise InvalidInput(f"trainer_type {wanted} is unknown. Send one of: {choices}.")


def data_config_json(request: TrainRequest, session: SessionRecord) -> bytes | None:
    """The data to train on, as canonical JSON: the request's before the session's; None: neither.

    Raises:
        InvalidInput: the request's is malformed, or no measurement is named to train on.
    """
    if request.HasField("data"):
        data = parse_config(DataConfig, request.data.config_bytes, "data")
    elif session.data_config_json:
        data = parse_config(DataConfig, session.data_config_json, "data")
    else:
        return None
    if not data.train_ids:
        raise InvalidInput(
            "data.train_ids is empty. Name at least one measurement to train on, as [0, 1, 2]."
        )
    return canonical_json(data)


def training_config_json(request: TrainRequest, session: SessionRecord) -> bytes:
    """The training settings as canonical JSON: the request's before the session's; empty: neither.

    Raises:
        InvalidInput: the request's are malformed.
    """
    if request.training.config_bytes:
        training = parse_config(TrainingConfig, request.training.config_bytes, "training")
        return canonical_json(training)
    return session.training_config_json
