"""Replicas of a service give the same answers: right after training, and after one was replaced."""

import io
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from fleet_local.background import BackgroundStack
from tests.support.polling import wait_until
from tests.support.scenes.rx_reference import RxReference
from tests.support.wire import by_port, inference

pytestmark = pytest.mark.e2e

REPLICAS = ("inference-1", "inference-2")
MOST_CALLS = 60


def _trained(calls, train_ids):
    session_id = calls.session()
    _train(calls, session_id, train_ids)
    return session_id


def _train(calls, session_id, train_ids):
    overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
    overrides += [f"data.train_ids={train_ids}"]
    trainrun = calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", overrides)
    calls.apply(session_id, trainrun)
    messages = calls.train(session_id)
    assert messages[-1].message.startswith("Statistical training complete")


def _replica_of(stack: BackgroundStack, trace_id: str) -> str:
    """Which replica logged the call; its line may come a moment after its answer."""
    line = re.compile(rf"(inference-\d)\b.*\bInference\b.*{trace_id}")
    found: list[str] = []

    def seen() -> bool:
        text = stack.log.read_text(encoding="utf-8", errors="replace")
        found[:] = line.findall(text)
        return bool(found)

    wait_until(seen, f"an access log line of trace {trace_id}")
    return found[0]


def test_a_finished_training_is_seen_by_the_very_next_call_on_every_replica(stack, calls, scene):
    session_id = calls.session()
    cube = scene.cubes[5:6]
    for train_ids in ([0, 2, 3], [1, 4]):
        _train(calls, session_id, train_ids)
        reference = RxReference.fit(scene.cubes[train_ids])
        answered: dict[str, bytes] = {}
        for _ in range(MOST_CALLS):
            answer, trace_id = calls.traced(
                "Inference", **inference(session_id, cube, scene.wavelengths_nm[None])
            )
            outputs = by_port(answer.outputs)
            reference.assert_matches(outputs, cube)
            answered[_replica_of(stack, trace_id)] = outputs["scores"].tobytes()
            if answered.keys() == set(REPLICAS):
                break
        assert answered.keys() == set(REPLICAS)
        assert len(set(answered.values())) == 1, "replicas must agree to the bit"


def test_loaded_after_all_inference_replicas_were_replaced_outputs_are_bit_identical(
    stack, calls, scene
):
    first = _trained(calls, [0, 2, 3])
    cube, wavelengths = scene.cubes[1:2], scene.wavelengths_nm[None]
    before = calls.infer(first, cube, wavelengths)
    saved = calls.call("SavePipeline", session_id=first, pipeline_path="kept/replaced.yaml")

    pids = {name: stack.part(name)["pid"] for name in REPLICAS}
    os.kill(pids["inference-1"], signal.SIGKILL)
    os.kill(pids["inference-2"], signal.SIGTERM)
    wait_until(
        lambda: all(stack.part(name)["pid"] not in (0, pids[name]) for name in REPLICAS),
        "both replicas started again",
        timeout_s=300,
    )
    wait_until(stack.is_serving, "the stack serves again", timeout_s=300)

    second = calls.session()
    calls.load(second, calls.resolve(second, "pipeline", "kept/replaced.yaml"))
    calls.call("LoadPipelineWeights", session_id=second, weights_path="kept/replaced.pt")
    for session_id in (second, first):
        after = calls.infer(session_id, cube, wavelengths)
        assert after.keys() == before.keys()
        for port, array in before.items():
            assert array.tobytes() == after[port].tobytes(), port
    assert Path(saved.weights_path).is_file()


def test_saved_files_have_the_published_layout(calls, scene):
    session_id = _trained(calls, [0, 2, 3])
    saved = calls.call("SavePipeline", session_id=session_id, pipeline_path="layout.yaml")

    config = yaml.safe_load(Path(saved.pipeline_path).read_text(encoding="utf-8"))
    names = [node["name"] for node in config["nodes"]]
    classes = {node["name"]: node["class_name"] for node in config["nodes"]}
    assert classes["RXGlobal"] == "cuvis_ai.anomaly.rx_detector.RXGlobal"
    assert config["metadata"]["name"] == "layout"
    assert {"source", "target"} == set(config["connections"][0])

    weights = torch.load(saved.weights_path, weights_only=True)
    assert set(weights) == {"state_dict", "metadata"}
    state = weights["state_dict"]
    assert set(state) == set(names), "every node has an entry, those without state an empty one"
    shapes = {
        (node, key): tuple(value.shape) for node, own in state.items() for key, value in own.items()
    }
    assert shapes == {
        ("MinMaxNormalizer", "running_min"): (),
        ("MinMaxNormalizer", "running_max"): (),
        ("RXGlobal", "mu"): (61,),
        ("RXGlobal", "cov"): (61, 61),
        ("RXGlobal", "cov_inv"): (61, 61),
        ("ScoreToLogit", "scale"): (),
        ("ScoreToLogit", "bias"): (),
    }
    reference = RxReference.fit(scene.cubes[[0, 2, 3]])
    assert float(state["MinMaxNormalizer"]["running_min"]) == reference.low
    assert float(state["MinMaxNormalizer"]["running_max"]) == reference.high
    np.testing.assert_allclose(state["RXGlobal"]["mu"].numpy(), reference.mean, rtol=1e-6)


def test_weights_written_by_a_published_server_load_from_bytes(calls, scene):
    reference = RxReference.fit(scene.cubes[[4]])
    covariance = np.linalg.pinv(reference.inverse)
    state = {
        "LentilsAnomalyDataNode": {},
        "MinMaxNormalizer": {"running_min": reference.low, "running_max": reference.high},
        "RXGlobal": {
            "mu": reference.mean,
            "cov": covariance,
            "cov_inv": reference.inverse,
        },
        "ScoreToLogit": {"scale": 1.0, "bias": reference.bias},
        "BinaryDecider": {},
        "metrics_anomaly": {},
        "TensorBoardMonitorNode": {},
        "mask": {},
    }
    tensors = {
        node: {key: torch.as_tensor(value, dtype=torch.float32) for key, value in own.items()}
        for node, own in state.items()
    }
    file = io.BytesIO()
    torch.save({"state_dict": tensors, "metadata": {"name": "by hand", "created": ""}}, file)

    session_id = calls.session()
    path = "pipeline/anomaly/rx/rx_statistical"
    calls.load(session_id, calls.resolve(session_id, "pipeline", path))
    answer = calls.call(
        "LoadPipelineWeights", session_id=session_id, weights_bytes=file.getvalue(), strict=True
    )
    assert answer.success
    cube = scene.cubes[2:4]
    outputs = calls.infer(session_id, cube, np.repeat(scene.wavelengths_nm[None], 2, axis=0))
    reference.assert_matches(outputs, cube)
