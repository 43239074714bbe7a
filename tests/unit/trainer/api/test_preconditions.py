import json

import pytest

from fleet_engine.training.job import optimizers
from fleet_platform.errors import InvalidInput, OutOfOrder
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1.records_pb2 import Pipeline, SessionRecord
from fleet_schemas import OPTIMIZERS, SCHEDULERS, DataConfig
from fleet_trainer.api.requests import check_preconditions
from tests.support.scenes.rx_scene import rx_pipeline

DATA = DataConfig(cu3s_file_path="a.npz", train_ids=[0])
STATISTICAL = pb.TRAINER_TYPE_STATISTICAL
GRADIENT = pb.TRAINER_TYPE_GRADIENT
CALIBRATION = pb.TRAINER_TYPE_CALIBRATION


def _session(weights_digest="", **lists):
    trainrun = {"name": "run", "data": {"cu3s_file_path": "a.npz"}, **lists}
    return SessionRecord(
        pipeline=Pipeline(
            config_json=json.dumps(rx_pipeline()).encode(), weights_digest=weights_digest
        ),
        trainrun_config_json=json.dumps(trainrun).encode(),
    )


def _training(**fields):
    return json.dumps(fields or {"seed": 1}).encode()


def test_the_names_are_those_of_the_engine():
    assert set(OPTIMIZERS) == set(optimizers._OPTIMIZERS)
    assert set(SCHEDULERS) == set(optimizers._SCHEDULERS)


@pytest.mark.parametrize("kind", [STATISTICAL, GRADIENT])
def test_training_needs_measurements(kind):
    data = DataConfig(cu3s_file_path="a.npz", val_ids=[1])

    with pytest.raises(InvalidInput, match=r"data\.train_ids is empty"):
        check_preconditions(kind, _session(loss_nodes=["logit"]), data, _training())


def test_statistical_training_ignores_lists_of_nodes_and_settings():
    session = _session(metric_nodes=["sample_metrics"], loss_nodes=["none"])

    check_preconditions(STATISTICAL, session, DATA, b"")


def test_gradient_training_needs_settings():
    with pytest.raises(InvalidInput, match="no training settings"):
        check_preconditions(GRADIENT, _session(loss_nodes=["logit"]), DATA, b"")


@pytest.mark.parametrize("session", [_session(), SessionRecord(pipeline=_session().pipeline)])
def test_gradient_training_needs_a_loss(session):
    with pytest.raises(InvalidInput, match="loss_nodes is empty"):
        check_preconditions(GRADIENT, session, DATA, _training())


@pytest.mark.parametrize("key", ["loss_nodes", "metric_nodes", "freeze_nodes", "unfreeze_nodes"])
def test_an_unknown_node_is_reported_with_the_known_ones(key):
    session = _session(**({"loss_nodes": ["logit"]} | {key: ["detektor"]}))

    with pytest.raises(InvalidInput, match=rf"{key} names detektor.*normalizer, detector"):
        check_preconditions(GRADIENT, session, DATA, _training())


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"optimizer": {"name": "rmsprop"}}, r"optimizer\.name 'rmsprop'.*adam, adamw, sgd"),
        ({"scheduler": {"name": "cosin"}}, r"scheduler\.name 'cosin'.*cosine.*plateau"),
    ],
)
def test_an_unknown_optimizer_or_schedule_is_reported_with_the_known_ones(settings, text):
    with pytest.raises(InvalidInput, match=text):
        check_preconditions(GRADIENT, _session(loss_nodes=["logit"]), DATA, _training(**settings))


@pytest.mark.parametrize("scheduler", [None, {"name": None}, {"name": "none"}, {"name": "Cosine"}])
def test_a_gradient_training_needs_no_validation(scheduler):
    settings = _training(optimizer={"name": "AdamW"}, scheduler=scheduler)

    check_preconditions(GRADIENT, _session(loss_nodes=["logit"]), DATA, settings)


def test_a_calibration_needs_trained_weights_and_then_a_validation_split():
    with pytest.raises(OutOfOrder, match="TRAINER_TYPE_STATISTICAL"):
        check_preconditions(CALIBRATION, _session(), DATA, b"")
    with pytest.raises(InvalidInput, match=r"data\.val_ids is empty"):
        check_preconditions(CALIBRATION, _session("ab"), DATA, b"")

    labelled = DataConfig(cu3s_file_path="a.npz", val_ids=[1])
    check_preconditions(CALIBRATION, _session("ab"), labelled, b"")
