"""A local plugin from the gateway to every process that builds a session's pipeline."""

import json
from pathlib import Path

import grpc
import numpy as np
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.plugin_folder import SCALE, write_plugin
from tests.support.wire import assert_says

pytestmark = pytest.mark.e2e

CALLS = 8
"""Enough for both inference replicas to be asked."""


@pytest.fixture
def plugin(data_dir: Path, request: pytest.FixtureRequest) -> Path:
    """A plugin of the test's own in a folder that clients may read."""
    return write_plugin(data_dir / f"plugin-{request.node.name}")


def register(calls, session_id, path):
    manifest = {"name": "mine", "path": str(path), "capabilities": [{"class_name": SCALE}]}
    reply = calls.call(
        "LoadPlugin",
        session_id=session_id,
        manifest=pb2.PluginManifest(config_bytes=json.dumps(manifest).encode()),
    )
    assert (reply.registered_plugin, reply.error) == ("mine", "")


def pipeline():
    data = "cuvis_ai.node.data.LentilsAnomalyDataNode"
    norm = "cuvis_ai.node.normalization.MinMaxNormalizer"
    return {
        "metadata": {"name": "scaled"},
        "nodes": [
            {"name": "data", "class_name": data, "hparams": {"normal_class_ids": [0]}},
            {"name": "scale", "class_name": SCALE, "hparams": {"by": 0.5}},
            {"name": "norm", "class_name": norm},
        ],
        "connections": [
            {"source": "data.outputs.cube", "target": "scale.inputs.data"},
            {"source": "scale.outputs.scaled", "target": "norm.inputs.data"},
        ],
    }


def outputs(calls, session_id, scene):
    cube, wavelengths = scene.cubes[:1], scene.wavelengths_nm[None]
    return [calls.infer(session_id, cube, wavelengths) for _ in range(CALLS)]


def test_it_is_loaded_trained_inferred_and_saved(calls, scene, plugin):
    session_id = calls.session()
    register(calls, session_id, plugin)
    calls.load(session_id, json.dumps(pipeline()).encode())

    data = {"cu3s_file_path": "scene.npz", "train_ids": [0, 1]}
    messages = calls.train(session_id, data=pb2.DataConfig(config_bytes=json.dumps(data).encode()))
    assert messages[-1].status == pb2.TRAIN_STATUS_COMPLETE

    fitted = scene.cubes[:2].astype(np.float32)
    expected = (scene.cubes[:1] - fitted.min()) / (fitted.max() - fitted.min())
    for given in outputs(calls, session_id, scene):
        assert np.array_equal(given["scaled"], scene.cubes[:1].astype(np.float32))
        assert given["normalized"] == pytest.approx(expected, abs=1e-5)
    saved = calls.call("SavePipeline", session_id=session_id, pipeline_path="plugin.yaml")
    assert SCALE in Path(saved.pipeline_path).read_text(encoding="utf-8")


def test_changed_code_runs_once_it_is_loaded_again_and_for_nobody_else(calls, scene, plugin):
    first, second = calls.session(), calls.session()
    for session_id in (first, second):
        register(calls, session_id, plugin)
        calls.load(session_id, json.dumps(pipeline()).encode())
    (plugin / "lab/settings.py").write_text("FACTOR = 6.0\n", encoding="utf-8")
    register(calls, second, plugin)
    calls.load(second, json.dumps(pipeline()).encode())

    for session_id, factor in ((first, 1), (second, 3)):
        calls.call(
            "SetTrainRunConfig",
            session_id=session_id,
            config=pb2.TrainRunConfig(
                config_bytes=json.dumps(
                    {"name": "x", "data": {"cu3s_file_path": "scene.npz", "train_ids": [0]}}
                ).encode()
            ),
        )
        assert calls.train(session_id)[-1].status == pb2.TRAIN_STATUS_COMPLETE
        for given in outputs(calls, session_id, scene):
            assert np.array_equal(given["scaled"], factor * scene.cubes[:1].astype(np.float32))


def test_another_session_does_not_have_it(calls, plugin):
    register(calls, calls.session(), plugin)
    refusal = calls.refused(
        "LoadPipeline",
        session_id=calls.session(),
        pipeline=pb2.PipelineConfig(config_bytes=json.dumps(pipeline()).encode()),
    )
    assert_says(refusal, grpc.StatusCode.INVALID_ARGUMENT, "'scale'", SCALE, "unknown")
