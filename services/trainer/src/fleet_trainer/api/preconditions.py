"""What must hold before a run is made, by kind of training."""

from collections.abc import Iterable

from fleet_platform.errors import InvalidInput, OutOfOrder
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_CALIBRATION,
    TRAINER_TYPE_GRADIENT,
    TrainerType,
)
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import (
    OPTIMIZERS,
    SCHEDULERS,
    DataConfig,
    PipelineConfig,
    TrainingConfig,
    nearest,
    parse_config,
)
from fleet_schemas.graph import node_names
from fleet_trainer.runs.configs import NodeLists

_NO_SCHEDULER = frozenset({"", "none"})


def check(
    trainer_type: TrainerType.ValueType,
    session: SessionRecord,
    data: DataConfig,
    training_config_json: bytes,
) -> None:
    """Refuse a training that cannot succeed, as far as its settings alone tell.

    Args:
        trainer_type: The kind of training.
        session: Its pipeline and the lists of nodes of its trainrun count.
        data: The data to train on.
        training_config_json: The training settings; empty: none.

    Raises:
        InvalidInput: a setting is missing or names what does not exist.
        OutOfOrder: the pipeline has to be trained first.
    """
    if trainer_type == TRAINER_TYPE_CALIBRATION:
        _check_calibration(session, data)
        return
    if not data.train_ids:
        raise InvalidInput(
            "data.train_ids is empty. Name at least one measurement to train on, as [0, 1, 2]."
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
            "data.val_ids is empty. Name the labelled measurements to calibrate on, as [3, 4]."
        )


def _check_gradient(session: SessionRecord, training_config_json: bytes) -> None:
    if not training_config_json:
        raise InvalidInput(
            "There are no training settings. Send them as 'training' of the TrainRequest, or in a"
            " trainrun with SetTrainRunConfig."
        )
    training = parse_config(TrainingConfig, training_config_json, "training")
    _known(training.optimizer.name, OPTIMIZERS, "training.optimizer.name")
    scheduler = training.scheduler
    if scheduler is not None and (scheduler.name or "").lower() not in _NO_SCHEDULER:
        _known(scheduler.name or "", SCHEDULERS, "training.scheduler.name")
    lists = NodeLists.of(session.trainrun_config_json)
    if not lists.loss_nodes:
        raise InvalidInput(
            "loss_nodes is empty. Name at least one node of the pipeline whose output is to be"
            " minimised, in a trainrun with SetTrainRunConfig."
        )
    pipeline = parse_config(PipelineConfig, session.pipeline.config_json, "pipeline")
    nodes = tuple(node_names(pipeline.nodes))
    for key, names in lists._asdict().items():
        _check_names(key, names, nodes)


def _known(name: str, known: tuple[str, ...], place: str) -> None:
    lower = name.lower()
    if lower not in known:
        raise InvalidInput(
            f"{place} '{name}' is unknown.{nearest(lower, list(known))} Known: {', '.join(known)}."
        )


def _check_names(key: str, names: Iterable[str], nodes: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in nodes]
    if unknown:
        raise InvalidInput(
            f"{key} names {', '.join(unknown)}, which the pipeline does not have. Its nodes: "
            f"{', '.join(nodes)}."
        )
