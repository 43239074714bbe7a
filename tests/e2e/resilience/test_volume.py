"""An artifact volume without room, and with room again."""

import hashlib

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.resilience.conftest import apply_trainrun
from tests.support.file_size_limit import no_room_for
from tests.support.killable_fleet import INFERENCE, TRAINERS, Fleet
from tests.support.wire import assert_says

pytestmark = pytest.mark.e2e


def test_a_full_artifact_volume_is_told_and_nothing_is_torn(fleet: Fleet, calls, trained):
    saved = calls.call("SavePipeline", session_id=trained.session_id, pipeline_path="room.yaml")
    before = calls.infer(trained.session_id, trained.cube, trained.wavelengths)
    waiting = calls.session()
    apply_trainrun(calls, waiting, [1, 4])
    reload = {"session_id": waiting, "weights_path": saved.weights_path}
    other = calls.session()
    apply_trainrun(calls, other, [5])

    pids = [fleet.stack.part(name)["pid"] for name in (*INFERENCE, *TRAINERS)]
    with no_room_for(pids):
        told, refusal = calls.failed_training(waiting)
        assert_says(refusal, grpc.StatusCode.RESOURCE_EXHAUSTED, "artifact volume is full")
        assert told[-1].status == pb2.TRAIN_STATUS_ERROR
        refusal = calls.refused("SavePipeline", session_id=other, pipeline_path="no_room.yaml")
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert fleet.stack.is_serving(), "what needs no room goes on"
    fleet.wait_serving()

    assert calls.train(waiting)[-1].status == pb2.TRAIN_STATUS_COMPLETE
    assert calls.call("LoadPipelineWeights", **reload).success
    after = calls.infer(waiting, trained.cube, trained.wavelengths)
    assert {port: array.tobytes() for port, array in after.items()} == {
        port: array.tobytes() for port, array in before.items()
    }
    files = [path for path in fleet.artifact_dir.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.name == hashlib.sha256(path.read_bytes()).hexdigest(), path
    assert not list(fleet.artifact_dir.rglob("*.tmp"))
