"""The examples run as printed."""

import json
import runpy
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest

from cuvis_fleet import stub_helpers
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.training_key import KEY
from tests.support.fake_service import SESSION_ID, FakeService, serving

EXAMPLES = Path(__file__).parents[3] / "examples" / "grpc"


@pytest.fixture
def double():
    double = FakeService()
    double.answers["SetSessionSearchPaths"] = pb.SetSessionSearchPathsResponse(success=True)
    return double


@pytest.fixture
def address(double):
    with serving(double) as address:
        yield address


@pytest.fixture
def utils(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import workflow_utils

    yield workflow_utils
    del sys.modules["workflow_utils"]


def test_the_statistical_training_example(utils, double, address, monkeypatch, capsys):
    config = {
        "name": "rx",
        "data": {"cu3s_file_path": "a.cu3s"},
        "pipeline": {"nodes": [{"hparams": {}}, {"hparams": {"num_channels": 7}}]},
    }
    double.answers |= {
        "ResolveConfig": pb.ResolveConfigResponse(config_bytes=json.dumps(config).encode()),
        "SetTrainRunConfig": pb.SetTrainRunConfigResponse(success=True),
        "Train": [pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE, message="done")],
        "Inference": pb.InferenceResponse(
            outputs={"rx.scores": utils.numpy_to_proto(np.ones((1, 32, 32, 1), np.float32))}
        ),
    }
    monkeypatch.setattr(sys, "argv", ["client", address, "data.batch_size=2", "--data", "a.cu3s"])
    runpy.run_path(str(EXAMPLES / "statistical_training_client.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "Trainrun rx on a.cu3s",
        "[EXECUTION_STAGE_UNSPECIFIED] TRAIN_STATUS_COMPLETE | done",
        "rx.scores: float32[1, 32, 32, 1], mean 1",
    ]
    (resolve,) = double.requests("ResolveConfig")
    assert resolve.path == "trainrun/rx_statistical"
    assert list(resolve.overrides) == [
        "training.seed=123",
        "data.cu3s_file_path='a.cu3s'",
        "data.annotation_json_path=null",
        "data.batch_size=2",
    ]
    (inference,) = double.requests("Inference")
    assert list(inference.inputs.cube.shape) == [1, 32, 32, 7]
    assert double.requests("CloseSession")


def test_search_paths_name_the_shipped_groups_once(utils, tmp_path):
    paths = utils.config_search_paths([tmp_path, tmp_path, tmp_path / "missing"])
    assert paths[0] == str(EXAMPLES.parents[1] / "configs")
    assert paths[-1] == str(tmp_path)
    assert len(paths) == len(set(paths))


def test_progress_in_one_line(utils):
    progress = pb.TrainResponse(
        context=pb.Context(stage=pb.EXECUTION_STAGE_TRAIN),
        status=pb.TRAIN_STATUS_RUNNING,
        losses={"total": 0.5},
        metrics={"b": 2, "a": 1},
        message="Fitting",
    )
    assert utils.format_progress(progress) == (
        "[EXECUTION_STAGE_TRAIN] TRAIN_STATUS_RUNNING | losses: total 0.5 | metrics: a 1, b 2 | "
        "Fitting"
    )


def test_training_reconnects_only_after_a_broken_connection(utils, double, address, monkeypatch):
    waits = []
    monkeypatch.setattr(stub_helpers.time, "sleep", waits.append)
    train = (utils.build_stub(address), SESSION_ID, pb.TRAINER_TYPE_STATISTICAL)
    double.answers["Train"] = (grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(grpc.RpcError):
        list(utils.train_with_retry(*train))
    assert len(waits) == 2
    assert 0 <= waits[0] <= 1
    assert 0 <= waits[1] <= 2
    assert len(double.requests("Train")) == 3
    double.answers["Train"] = (grpc.StatusCode.INVALID_ARGUMENT, "wrong")
    with pytest.raises(grpc.RpcError):
        list(utils.train_with_retry(*train))
    assert len(double.requests("Train")) == 4
    double.answers["Train"] = [pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE)]
    assert len(list(utils.train_with_retry(*train))) == 1
    names = [sent[KEY] for sent in double.metadata["Train"]]
    assert len(set(names[:3])) == 1, "one training, even if it is requested several times"
    assert len(set(names[2:])) == 3, "each training has a separate key"


def test_health_reports_whether_sessions_can_be_opened(utils, double, address):
    assert utils.check_server_health(address)
    assert len(double.requests("CloseSession")) == 1
    double.answers["CreateSession"] = (grpc.StatusCode.UNAVAILABLE, "down")
    assert not utils.check_server_health(address)


def test_a_session_is_kept_alive_until_it_ends(utils, double, address):
    double.answers["GetTrainStatus"] = (grpc.StatusCode.NOT_FOUND, "expired")
    utils.keep_alive(utils.build_stub(address), SESSION_ID, interval=0.01)
    (request,) = double.requests("GetTrainStatus")
    assert request.session_id == SESSION_ID
