"""Converts requests of Train to the settings of a run, and checks them before a run is created."""

from collections.abc import Iterable
from typing import NamedTuple

from fleet_platform.errors import InvalidInput, OutOfOrder
from fleet_platform.files import PathPolicy
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_CALIBRATION,
    TRAINER_TYPE_GRADIENT,
    TRAINER_TYPE_UNSPECIFIED,
    TrainerType,
    TrainRequest,
)
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import (
    OPTIMIZERS,
    SCHEDULERS,
    DataConfig,
    PipelineConfig,
    TrainingConfig,
    canonical_json,
    nearest,
    parse_config,
)
from fleet_schemas.graph import node_names
from fleet_trainer.runs.configs import NodeLists
from fleet_trainer.trainruns.sources import with_splits_of_file

_NO_SCHEDULER = frozenset({"", "none"})


class RunSettings(NamedTuple):
    """The kind of training, the data and the settings that a call of Train asks for.

    Attributes:
        trainer_type: The kind of training.
        data_config_json: The data to train on, as canonical JSON.
        training_config_json: The training settings, as canonical JSON; may be empty.
    """

    trainer_type: TrainerType.ValueType
    data_config_json: bytes
    training_config_json: bytes


def run_settings(request: TrainRequest, session: SessionRecord, paths: PathPolicy) -> RunSettings:
    """Return the settings of a new run: those of the request take precedence over the session's.

    Raises:
        NotFound: a file of splits does not exist.
        InvalidInput: a setting is missing, malformed, or names something that does not exist.
        OutOfOrder: the pipeline has to be trained first.
    """
    trainer_type = trainer_type_of(request)
    data = with_splits_of_file(data_config_of(request, session), session, paths)
    training = training_config_json(request, session)
    check_preconditions(trainer_type, session, data, training)
    return RunSettings(trainer_type, canonical_json(data), training)


def trainer_type_of(request: TrainRequest) -> TrainerType.ValueType:
    """Return the requested kind of training.

    Raises:
        InvalidInput: it is missing or unknown.
    """
    wanted = request.trainer_type
    known = {number: name for name, number in TrainerType.items()}
    del known[TRAINER_TYPE_UNSPECIFIED]
    if wanted in known:
        return wanted
    choices = ", ".join(f"{name} ({number})" for number, name in sorted(known.items()))
    raise InvalidInput(f"trainer_type {wanted} is unknown. Send one of: {choices}.")


def data_config_of(request: TrainRequest, session: SessionRecord) -> DataConfig:
    """Return the data to train on: the request's, else the session's.

    Raises:
        InvalidInput: neither has data, or the request's are malformed.
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
    """Return the training settings as canonical JSON: the request's, else the session's.

    Raises:
        InvalidInput: the request's are malformed.
    """
    if request.training.config_bytes:
        training = parse_config(TrainingConfig, request.training.config_bytes, "training")
        return canonical_json(training)
    return session.training_config_json


def check_preconditions(
    trainer_type: TrainerType.ValueType,
    session: SessionRecord,
    data: DataConfig,
    training_config_json: bytes,
) -> None:
    """Refuse a training that cannot succeed, as far as the settings alone show that.

    Args:
        trainer_type: The kind of training.
        session: Has the pipeline, and the trainrun with the lists of nodes.
        data: The data to train on.
        training_config_json: The training settings; may be empty.

    Raises:
        InvalidInput: a setting is missing or names something that does not exist.
        OutOfOrder: the pipeline has to be trained first.
    """
    if trainer_type == TRAINER_TYPE_CALIBRATION:
        _check_calibration(session, data)
        return
    if not data.train_ids:
        raise InvalidInput(
            "data.train_ids is empty. Name at least one measurement to train on, such as [0, 1, 2]."
        )
    if trainer_type == TRAINER_TYPE_GRADIENT:
        _check_gradient(session, training_config_json)


def _check_calibration(session: SessionRecord, data: DataConfig) -> None:
    if not session.pipeline.weights_digest:
        raise OutOfOrder(
            "The pipeline has no trained weights to calibrate with. Call Train with"
            " TRAINER_TYPE_STATISTICAL or TRAINER_TYPE_GRADIENT first, or LoadPipelineWeights."
        )
    if not data.val_ids:
        raise InvalidInput(
            "data.val_ids is empty. Name the labelled measurements to calibrate on, such as [3, 4]."
        )


def _check_gradient(session: SessionRecord, training_config_json: bytes) -> None:
    if not training_config_json:
        raise InvalidInput(
            "There are no training settings. Send them as 'training' of the TrainRequest, or in a"
            " trainrun with SetTrainRunConfig."
        )
    training = parse_config(TrainingConfig, training_config_json, "training")
    _check_known(training.optimizer.name, OPTIMIZERS, "training.optimizer.name")
    scheduler = training.scheduler
    if scheduler is not None and (scheduler.name or "").lower() not in _NO_SCHEDULER:
        _check_known(scheduler.name or "", SCHEDULERS, "training.scheduler.name")
    lists = NodeLists.of(session.trainrun_config_json)
    if not lists.loss_nodes:
        raise InvalidInput(
            "loss_nodes is empty. Name at least one node of the pipeline whose output the"
            " training minimises, in a trainrun with SetTrainRunConfig."
        )
    pipeline = parse_config(PipelineConfig, session.pipeline.config_json, "pipeline")
    nodes = tuple(node_names(pipeline.nodes))
    for key, names in lists._asdict().items():
        _check_nodes(key, names, nodes)


def _check_known(name: str, known: tuple[str, ...], place: str) -> None:
    lower = name.lower()
    if lower not in known:
        raise InvalidInput(
            f"{place} '{name}' is unknown.{nearest(lower, list(known))} Known: {', '.join(known)}."
        )


def _check_nodes(key: str, names: Iterable[str], nodes: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in nodes]
    if unknown:
        raise InvalidInput(
            f"{key} names {', '.join(unknown)}, which the pipeline does not have. Its nodes: "
            f"{', '.join(nodes)}."
        )
