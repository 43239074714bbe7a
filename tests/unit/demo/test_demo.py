"""The demo as a program, with a fake service instead of the stack."""

import json
from pathlib import Path

import numpy as np
import pytest

from cuvis_fleet.demo.__main__ import demo
from cuvis_fleet.demo.reference import global_rx
from cuvis_fleet.demo.synthetic_scene import make_synthetic_scene
from cuvis_fleet.inference.tensors import to_tensor
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import FakeService, serving

TRAINRUN = {
    "name": "rx_statistical",
    "pipeline": {
        "nodes": [
            {"name": "Data", "hparams": {"normal_class_ids": [0, 1]}},
            {"name": "RX", "hparams": {"num_channels": 61}},
        ]
    },
}


@pytest.fixture
def double():
    """A service that returns float64 RX scores, and decisions by mean and two deviations."""
    double = FakeService()
    double.noise = 0.0
    double.answers |= {
        "ResolveConfig": pb.ResolveConfigResponse(config_bytes=json.dumps(TRAINRUN).encode()),
        "SetTrainRunConfig": pb.SetTrainRunConfigResponse(success=True),
        "Train": [
            pb.TrainResponse(
                status=pb.TRAIN_STATUS_RUNNING,
                event=pb.TrainEvent(node="RX", progress=pb.FrameProgress(done=1, total=1)),
            ),
            pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE, message="complete"),
        ],
        "Inference": lambda: infer(double),
        "SavePipeline": pb.SavePipelineResponse(pipeline_path="/o/x.yaml", weights_path="/o/x.pt"),
    }
    return double


def infer(double):
    cube = double.requests("Inference")[-1].inputs.cube
    double.sent = cube.raw_data or (Path("/dev/shm") / cube.shm_ref.name).read_bytes()
    values = np.frombuffer(double.sent, "<u2").reshape(tuple(cube.shape))
    scores = global_rx(values) + double.noise * np.random.default_rng(0).normal(
        size=values.shape[:3]
    )
    outputs = {"RX.scores": scores.astype(np.float32)[..., None]}
    outputs["D.decisions"] = outputs["RX.scores"] > scores.mean() + 2 * scores.std()
    return pb.InferenceResponse(
        outputs={name: to_tensor(name, array) for name, array in outputs.items()}
    )


@pytest.fixture
def run(double, tmp_path):
    with serving(double) as address:

        def running(data=None):
            demo(data, address, tmp_path / "data", tmp_path / "outputs")

        yield running


def test_the_synthetic_scene_is_trained_evaluated_drawn_and_saved(run, double, tmp_path, capsys):
    run()
    output = " ".join(capsys.readouterr().out.split())
    assert "AUC served 0.9931 AUC float64 RX 0.9931" in output
    assert double.traceparents["Inference"].split("-")[1] in output
    for step in ("connect", "resolve", "train", "infer", "save"):
        assert f"{step} " in output
    figure = (tmp_path / "outputs" / "demo" / "synthetic.png").read_bytes()
    assert figure.startswith(b"\x89PNG")
    plain, with_overrides = double.requests("ResolveConfig")
    assert not plain.overrides
    assert list(with_overrides.overrides) == [
        "data.cu3s_file_path='demo/synthetic.hdr'",
        "data.annotation_json_path=null",
        "data.train_ids=[0]",
        "data.val_ids=[0]",
        "data.test_ids=[0]",
        "data.batch_size=1",
        "pipeline.nodes.0.hparams.normal_class_ids=[0]",
        "pipeline.nodes.1.hparams.num_channels=61",
    ]
    assert len(double.requests("Inference")) == 1
    assert double.sent == make_synthetic_scene()[0].tobytes()
    assert [request.pipeline_path for request in double.requests("SavePipeline")] == [
        "demo/synthetic.yaml"
    ]
    assert double.requests("CloseSession")


def test_scores_that_differ_from_the_reference_fail(run, double, capsys):
    double.noise = 30.0
    with pytest.raises(SystemExit, match="1"):
        run()
    assert "differs from the reference by more than" in capsys.readouterr().err


def test_a_file_without_truth_has_no_auc(run, double, tmp_path, capsys):
    cubes = np.random.default_rng(3).integers(0, 4000, (2, 12, 20, 5)).astype(np.uint16)
    np.savez(tmp_path / "own.npz", cube=cubes, wavelengths=[450, 550, 650, 750, 850])
    run(tmp_path / "own.npz")
    assert "truth of this scene is unknown" in capsys.readouterr().out
    assert (tmp_path / "outputs" / "demo" / "own.png").exists()
    assert len(double.requests("Inference")) == 2
    assert "data.train_ids=[0,1]" in double.requests("ResolveConfig")[1].overrides


def test_an_unreadable_file_is_reported_in_one_line(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        run(tmp_path / "scene.jpg")
    assert "unknown format" in capsys.readouterr().err
