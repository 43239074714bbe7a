"""The client library against a real gRPC server of the same wire."""

from concurrent import futures

import grpc
import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet.tensors import to_array, to_tensor
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc


class Scripted(cuvis_ai_pb2_grpc.CuvisAIServiceServicer):
    """Answers what a test needs and remembers what it was asked."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.traceparents: list[str] = []
        self.loaded: list[pb.LoadPipelineWeightsRequest] = []

    def CreateSession(self, request, context):
        self.traceparents.append(dict(context.invocation_metadata())["traceparent"])
        return pb.CreateSessionResponse(session_id="s-1")

    def CloseSession(self, request, context):
        if request.session_id in self.closed:
            context.abort(grpc.StatusCode.NOT_FOUND, "Session s-1 not found")
        self.closed.append(request.session_id)
        return pb.CloseSessionResponse(success=True)

    def SetSessionSearchPaths(self, request, context):
        return pb.SetSessionSearchPathsResponse(success=True, rejected_paths=request.search_paths)

    def ResolveConfig(self, request, context):
        if request.overrides:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "override 'x' has no '='")
        return pb.ResolveConfigResponse(config_bytes=b'{"name": "rx"}')

    def LoadPipeline(self, request, context):
        return pb.LoadPipelineResponse(success=True)

    def LoadPipelineWeights(self, request, context):
        self.loaded.append(request)
        return pb.LoadPipelineWeightsResponse(success=True)

    def Train(self, request, context):
        for done in range(3):
            event = pb.TrainEvent(node="RXGlobal", progress=pb.FrameProgress(done=done, total=2))
            yield pb.TrainResponse(status=pb.TRAIN_STATUS_RUNNING, event=event, losses={"total": 1})
        if request.trainer_type == pb.TRAINER_TYPE_GRADIENT:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "call LoadPipeline first")
        yield pb.TrainResponse(status=pb.TRAIN_STATUS_COMPLETE, message="done")

    def Inference(self, request, context):
        outputs = {"echo.cube": request.inputs.cube}
        if request.inputs.HasField("mask"):
            outputs["echo.mask"] = request.inputs.mask
        return pb.InferenceResponse(outputs=outputs, metrics={"echo.mean": 2.5})


@pytest.fixture
def served():
    servicer = Scripted()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    cuvis_ai_pb2_grpc.add_CuvisAIServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with cuvis_fleet.connect(f"127.0.0.1:{port}", timeout_s=10) as client:
        yield client, servicer
    server.stop(grace=None).wait()


def test_session_closes_itself_and_an_expired_one_counts_as_closed(served):
    client, servicer = served
    with client.session() as session:
        session.close()
    assert servicer.closed == ["s-1"]


def test_an_error_inside_the_block_is_the_one_that_is_seen(served):
    client, servicer = served
    with pytest.raises(ZeroDivisionError), client.session():
        raise ZeroDivisionError
    assert servicer.closed == ["s-1"]


def test_errors_name_method_text_and_the_trace_that_was_sent(served):
    client, _ = served
    with client.session() as session, pytest.raises(cuvis_fleet.InvalidInput) as caught:
        session.resolve("trainrun", "rx", ["x"])
    assert caught.value.method == "ResolveConfig"
    assert caught.value.text == "override 'x' has no '='"
    assert len(caught.value.trace_id) == 32
    assert str(caught.value).startswith("ResolveConfig: override")


def test_each_call_is_a_trace_of_its_own(served):
    client, servicer = served
    client.session()
    client.session()
    versions, traces, _, flags = zip(
        *(each.split("-") for each in servicer.traceparents), strict=True
    )
    assert set(versions) == {"00"}
    assert set(flags) == {"01"}
    assert len(set(traces)) == 2


def test_training_yields_typed_progress_and_ends_with_the_terminal_message(served):
    client, _ = served
    with client.session() as session:
        progress = list(session.train("statistical"))
    assert [each.status for each in progress] == ["running"] * 3 + ["complete"]
    assert (progress[2].node, progress[2].done, progress[2].total) == ("RXGlobal", 2, 2)
    assert progress[0].losses == {"total": 1.0}


def test_a_failed_training_raises_after_what_came_before(served):
    client, _ = served
    seen = []
    with client.session() as session, pytest.raises(cuvis_fleet.OutOfOrder, match="LoadPipeline"):
        seen.extend(progress.status for progress in session.train("gradient"))
    assert seen == ["running"] * 3


def test_inference_returns_arrays_and_names_what_there_is(served):
    client, _ = served
    cube = np.arange(24, dtype=np.uint16).reshape(1, 2, 3, 4)
    with client.session() as session:
        result = session.infer(cube, [430, 440, 450, 460], mask=np.ones((1, 2, 3), np.int32))
    assert sorted(result) == ["echo.cube", "echo.mask"]
    np.testing.assert_array_equal(result["echo.cube"], cube)
    assert not result["echo.cube"].flags.writeable
    assert result.metrics == {"echo.mean": 2.5}
    with pytest.raises(KeyError, match=r"echo\.cube"):
        result["other"]


def test_weights_go_by_path_or_by_content(served):
    client, servicer = served
    with client.session() as session:
        session.load("pipeline/rx", weights="a.pt")
        session.load("pipeline/rx", weights=b"content", strict=False)
    sources = [each.WhichOneof("weights_source") for each in servicer.loaded]
    assert sources == ["weights_path", "weights_bytes"]
    assert [each.strict for each in servicer.loaded] == [True, False]


def test_no_server_is_said_plainly():
    with (
        cuvis_fleet.connect("127.0.0.1:1", timeout_s=5) as client,
        pytest.raises(cuvis_fleet.Unavailable, match="CreateSession"),
    ):
        client.session()


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "?", "f2", "u2", ">u2", ">f4"])
def test_every_dtype_survives_the_wire(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    back = to_array(pb.Tensor.FromString(to_tensor(array.T, "cube").SerializeToString()))
    np.testing.assert_array_equal(back, array.T)


def test_a_dtype_that_the_wire_lacks_is_refused_by_name():
    with pytest.raises(cuvis_fleet.InvalidInput, match="cube has dtype complex128"):
        to_tensor(np.zeros(3, complex), "cube")
