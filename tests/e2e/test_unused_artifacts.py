"""Weights leave the volume with the last session and training that had them, and no sooner."""

import io
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from tests.support.polling import wait_until
from tests.support.wire import wire

pytestmark = pytest.mark.e2e

KEPT_S = 3.0


@pytest.fixture
def artifact_dir(tmp_path):
    return tmp_path / "artifacts"


@pytest.fixture
def fleet(start_stack, artifact_dir):
    with start_stack(ARTIFACT_KEPT_S=str(KEPT_S), ARTIFACT_DIR=str(artifact_dir)) as running:
        yield running


@pytest.fixture
def calls(fleet):
    with wire(fleet.address) as client:
        yield client


def _trained(calls):
    session_id = calls.session()
    overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
    trainrun = calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", overrides)
    calls.apply(session_id, trainrun)
    assert calls.train(session_id)[-1].message.startswith("Statistical training complete")
    return session_id


def _with_other_weights(calls, weights_path):
    """A session with weights that no training has made."""
    content = torch.load(weights_path, weights_only=True)
    content["state_dict"]["RXGlobal"]["mu"] += 1
    file = io.BytesIO()
    torch.save(content, file)
    session_id = calls.session()
    calls.load(
        session_id, calls.resolve(session_id, "pipeline", "pipeline/anomaly/rx/rx_statistical")
    )
    calls.call("LoadPipelineWeights", session_id=session_id, weights_bytes=file.getvalue())
    return session_id


def test_weights_stay_as_long_as_they_are_named(fleet, artifact_dir, calls, scene):
    def stored():
        return {path.name for path in artifact_dir.glob("sha256/*/*")}

    def answers():
        return [
            calls.infer(session_id, scene.cubes[5:6], scene.wavelengths_nm[None])[
                "scores"
            ].tobytes()
            for session_id in (trained, other)
        ]

    trained = _trained(calls)
    of_training = stored()
    assert of_training
    saved = calls.call("SavePipeline", session_id=trained, pipeline_path="kept.yaml")
    other = _with_other_weights(calls, saved.weights_path)
    loaded = stored() - of_training
    assert loaded
    before = answers()

    time.sleep(2 * KEPT_S)

    assert loaded <= stored()
    pid = fleet.part("inference")["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: fleet.part("inference")["pid"] not in (0, pid), "it is replaced")
    wait_until(lambda: fleet.is_serving("inference"), "the replacement serves")
    assert answers() == before, "read from the volume, by a process that has nothing yet"

    calls.call("CloseSession", session_id=other)
    wait_until(lambda: not loaded & stored(), "its weights are removed")
    assert calls.infer(trained, scene.cubes[5:6], scene.wavelengths_nm[None])
    assert Path(saved.weights_path).is_file(), "what was saved is no artifact"
