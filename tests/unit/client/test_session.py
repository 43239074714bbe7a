"""The requests and results of a session's methods."""

import json
import subprocess
import sys

import grpc
import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet import ResolvedConfig
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID
from tests.support.polling import wait_until


def test_a_session_is_open_for_the_duration_of_its_block(client, double):
    with client.session() as session:
        assert session.id == SESSION_ID
        assert not double.requests("CloseSession")
    assert [request.session_id for request in double.requests("CloseSession")] == [SESSION_ID]
    assert not double.requests("SetSessionSearchPaths")


def test_a_session_closes_after_an_error_without_hiding_it(client, double):
    def failing():
        with client.session():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert len(double.requests("CloseSession")) == 1


def test_search_paths_are_replaced_and_rejected_ones_returned(client, double, tmp_path):
    double.answers["SetSessionSearchPaths"] = pb.SetSessionSearchPathsResponse(
        success=True, rejected_paths=["/nowhere"]
    )
    with client.session(search_paths=[tmp_path, "/nowhere"]) as session:
        assert session.rejected_search_paths == ("/nowhere",)
    (request,) = double.requests("SetSessionSearchPaths")
    assert list(request.search_paths) == [str(tmp_path), "/nowhere"]
    assert request.HasField("append")
    assert not request.append


def test_a_config_is_resolved_and_applied_byte_for_byte(session, double):
    raw = b'{"pipeline": {"nodes": []},\n "name": "x"}'
    double.answers["ResolveConfig"] = pb.ResolveConfigResponse(config_bytes=raw)
    double.answers["SetTrainRunConfig"] = pb.SetTrainRunConfigResponse(success=True)
    resolved = session.resolve("trainrun", "trainrun/x", ["data.batch_size=2"])
    assert resolved.data == {"pipeline": {"nodes": []}, "name": "x"}
    session.apply(resolved)
    session.apply({"name": "own"})
    (request,) = double.requests("ResolveConfig")
    assert (request.config_type, request.path) == ("trainrun", "trainrun/x")
    assert list(request.overrides) == ["data.batch_size=2"]
    first, second = double.requests("SetTrainRunConfig")
    assert first.config.config_bytes == raw
    assert json.loads(second.config.config_bytes) == {"name": "own"}


@pytest.mark.parametrize(
    ("weights", "source"), [("a.pt", "weights_path"), (b"content", "weights_bytes")]
)
def test_a_pipeline_is_loaded_with_its_weights(session, double, weights, source):
    double.answers["LoadPipeline"] = pb.LoadPipelineResponse(success=True)
    double.answers["LoadPipelineWeights"] = pb.LoadPipelineWeightsResponse(success=True)
    session.load(ResolvedConfig(b"{}"), weights, strict=False)
    (load,) = double.requests("LoadPipeline")
    assert load.pipeline.config_bytes == b"{}"
    (request,) = double.requests("LoadPipelineWeights")
    assert request.WhichOneof("weights_source") == source
    assert getattr(request, source) == weights
    assert request.HasField("strict")
    assert not request.strict


def test_a_trainrun_is_saved_and_restored_into_the_session(session, double):
    double.answers["SaveTrainRun"] = pb.SaveTrainRunResponse(
        success=True, trainrun_path="/out/run.yaml", weights_path="/out/run.pt"
    )
    double.answers["RestoreTrainRun"] = pb.RestoreTrainRunResponse(
        session_id=SESSION_ID, trainrun=pb.TrainRunConfig(config_bytes=b'{"name": "x"}')
    )

    saved = session.save_trainrun("run.yaml", weights=True)
    restored = session.restore_trainrun(saved.trainrun_path, saved.weights_path, strict=False)
    session.restore_trainrun("run.yaml")

    assert saved == cuvis_fleet.SavedTrainRun("/out/run.yaml", "", "/out/run.pt")
    assert restored.data == {"name": "x"}
    (request,) = double.requests("SaveTrainRun")
    assert request == pb.SaveTrainRunRequest(
        session_id=SESSION_ID, trainrun_path="run.yaml", save_weights=True
    )
    first, second = double.requests("RestoreTrainRun")
    assert first == pb.RestoreTrainRunRequest(
        session_id=SESSION_ID,
        trainrun_path="/out/run.yaml",
        weights_path="/out/run.pt",
        strict=False,
    )
    assert not second.HasField("weights_path")
    assert second.strict


def test_a_pipeline_without_weights_is_only_loaded(session, double):
    double.answers["LoadPipeline"] = pb.LoadPipelineResponse(success=True)
    session.load(ResolvedConfig(b"{}"))
    assert not double.requests("LoadPipelineWeights")


def test_saving_returns_where_the_server_wrote(session, double):
    double.answers["SavePipeline"] = pb.SavePipelineResponse(
        pipeline_path="/o/a.yaml", weights_path="/o/a.pt"
    )
    saved = session.save("a.yaml", name="A", description="d", tags=["t"])
    assert (saved.pipeline_path, saved.weights_path) == ("/o/a.yaml", "/o/a.pt")
    (request,) = double.requests("SavePipeline")
    assert request.pipeline_path == "a.yaml"
    assert request.metadata == pb.PipelineMetadata(name="A", description="d", tags=["t"])


def test_training_yields_progress(session, double):
    double.answers["Train"] = [
        pb.TrainResponse(
            context=pb.Context(stage=pb.EXECUTION_STAGE_TRAIN, epoch=1, batch_idx=2, global_step=3),
            status=pb.TRAIN_STATUS_RUNNING,
            losses={"total": 0.5},
            metrics={"iou": 0.25},
            message="Fitting rx",
            event=pb.TrainEvent(node="rx", progress=pb.FrameProgress(done=4, total=5)),
        ),
        pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE),
        pb.TrainResponse(status=77),
    ]
    first, last, foreign = session.train("gradient")
    assert first == cuvis_fleet.Progress(
        stage="train",
        status="running",
        epoch=1,
        batch=2,
        step=3,
        losses={"total": 0.5},
        metrics={"iou": 0.25},
        message="Fitting rx",
        node="rx",
        done=4,
        total=5,
    )
    assert (last.stage, last.status, last.total) == ("unspecified", "complete", 0)
    assert foreign.status == "77"
    (request,) = double.requests("Train")
    assert request.trainer_type == pb.TRAINER_TYPE_GRADIENT


def test_a_failed_training_raises_after_its_messages(session, double):
    double.answers["Train"] = [
        pb.TrainResponse(status=pb.TRAIN_STATUS_ERROR, message="no data"),
        (grpc.StatusCode.INVALID_ARGUMENT, "no data"),
    ]
    messages = session.train()
    assert next(messages).status == "error"
    with pytest.raises(cuvis_fleet.InvalidInput, match="Train: no data"):
        next(messages)


def test_ending_the_iteration_cancels_the_call(session, double):
    ended = []

    def endless():
        try:
            while True:
                yield pb.TrainResponse(status=pb.TRAIN_STATUS_RUNNING)
        finally:
            ended.append(True)

    double.answers["Train"] = endless()
    messages = session.train()
    next(messages)
    messages.close()
    double.answers["Train"] = []
    wait_until(lambda: ended, "the server's stream ends")


def test_an_unknown_trainer_is_rejected_by_the_client(session, double):
    with pytest.raises(ValueError, match="'fast'; use one of statistical, gradient"):
        next(session.train("fast"))
    assert not double.requests("Train")


def test_status_is_the_newest_message(session, double):
    double.answers["GetTrainStatus"] = pb.GetTrainStatusResponse(
        latest_progress=pb.TrainResponse(status=pb.TRAIN_STATUS_CANCELLED, message="stopped")
    )
    status = session.status()
    assert (status.status, status.message) == ("cancelled", "stopped")


def test_inference_sends_arrays_and_returns_views(session, double):
    scores = np.arange(6, dtype="<f4").reshape(1, 2, 3, 1)
    decisions = scores > 2
    double.answers["Inference"] = pb.InferenceResponse(
        outputs={
            "rx.scores": pb.Tensor(
                shape=scores.shape, dtype=pb.D_TYPE_FLOAT32, raw_data=scores.tobytes()
            ),
            "decider.decisions": pb.Tensor(
                shape=decisions.shape, dtype=pb.D_TYPE_BOOL, raw_data=decisions.tobytes()
            ),
        },
        metrics={"m.auc": 0.5},
    )
    cube = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    mask = np.ones((2, 3), np.uint8)
    result = session.infer(cube, [450.4, 550.6, 650, 750], outputs=["scores"], mask=mask)
    np.testing.assert_array_equal(result["rx.scores"], scores)
    np.testing.assert_array_equal(result["decisions"], decisions)
    assert result["decisions"].dtype == np.bool_
    assert set(result) == {"rx.scores", "decider.decisions"}
    assert result.metrics == {"m.auc": 0.5}
    assert not result["scores"].flags.writeable
    assert not result["scores"].flags.owndata
    (request,) = double.requests("Inference")
    assert list(request.output_specs) == ["scores"]
    assert list(request.inputs.cube.shape) == [1, 2, 3, 4]
    assert request.inputs.cube.dtype == pb.D_TYPE_UINT16
    assert request.inputs.cube.raw_data == cube.tobytes()
    wavelengths = np.array([[450, 551, 650, 750]], "<i4")
    assert list(request.inputs.wavelengths.shape) == [1, 4]
    assert request.inputs.wavelengths.raw_data == wavelengths.tobytes()
    assert list(request.inputs.mask.shape) == [1, 2, 3]
    assert request.inputs.mask.dtype == pb.D_TYPE_INT32


def test_without_a_mask_the_field_is_not_set(session, double):
    double.answers["Inference"] = pb.InferenceResponse()
    assert len(session.infer(np.zeros((1, 2, 3, 4), np.uint16), [1, 2, 3, 4])) == 0
    (request,) = double.requests("Inference")
    assert not request.inputs.HasField("mask")


def test_the_library_does_not_import_torch():
    program = "import sys, cuvis_fleet; sys.exit(int('torch' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
