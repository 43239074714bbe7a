"""Every call of the job is one connected trace, from the gateway to Redis and the engine."""

import grpc
import numpy as np
import pytest

from fleet_local.background import background_stack
from fleet_local.ports import free_ports
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.otlp_receiver import ReceivedSpan, otlp_receiver

pytestmark = pytest.mark.e2e

BANDS = 61


SERVICE_OF_CALL = {
    "CreateSession": "session",
    "ResolveConfig": "config",
    "SetTrainRunConfig": "trainer",
    "Train": "trainer",
    "GetTrainStatus": "trainer",
    "Inference": "inference",
    "SavePipeline": "inference",
    "LoadPipelineWeights": "inference",
    "CloseSession": "session",
}


def test_every_call_of_the_job_is_one_connected_trace(tmp_path):
    rng = np.random.default_rng(5)
    wavelengths = np.linspace(430, 910, BANDS).astype(np.int32)
    cubes = rng.integers(200, 4000, size=(3, 16, 16, BANDS), dtype=np.uint16)
    data = tmp_path / "data"
    data.mkdir()
    np.savez(data / "scene.npz", cube=cubes, wavelengths=wavelengths)
    with otlp_receiver() as receiver:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "DATA_DIR": str(data),
            "OUTPUT_DIR": str(tmp_path / "outputs"),
        }
        with background_stack(free_ports(1)[0], tmp_path / "run", environment) as stack:
            _job(stack.address, cubes[0], wavelengths)
            spans = receiver.wait_for(
                lambda seen: (
                    all(_complete(seen, method) for method in SERVICE_OF_CALL)
                    and _complete(seen, "Train", "trainer.run")
                )
            )

    for method, service in SERVICE_OF_CALL.items():
        trace = _trace_of(spans, method)
        _assert_connected(trace)
        assert {span.service for span in trace} == {"gateway", service}, method
        redis = [s for s in trace if s.attributes.get("db.system.name") == "redis"]
        assert redis, method
    train, infer = _trace_of(spans, "Train"), _trace_of(spans, "Inference")
    for name in ("trainer.run", "engine.fit", "artifacts.put"):
        assert any(span.name.startswith(name) for span in train), name
    served = next(span for span in infer if span.name.endswith("/Inference") and _is_server(span))
    for name in ("engine.materialise", "engine.plan"):
        assert [span.parent_id for span in infer if span.name == name] == [served.span_id], name


def _job(address: str, cube: np.ndarray, wavelengths: np.ndarray) -> None:
    """Train and infer once, as a client that sends no trace context."""
    with grpc.insecure_channel(address) as channel:
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
        session_id = stub.CreateSession(pb.CreateSessionRequest(), timeout=10).session_id
        overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
        overrides += ["data.train_ids=[0,1,2]", "data.val_ids=[]", "data.test_ids=[]"]
        resolve = pb.ResolveConfigRequest(
            session_id=session_id,
            config_type="trainrun",
            path="trainrun/rx_statistical",
            overrides=overrides,
        )
        config = pb.TrainRunConfig(config_bytes=stub.ResolveConfig(resolve).config_bytes)
        stub.SetTrainRunConfig(pb.SetTrainRunConfigRequest(session_id=session_id, config=config))
        train = pb.TrainRequest(session_id=session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL)
        assert list(stub.Train(train))[-1].status == pb.TRAIN_STATUS_COMPLETE
        inputs = pb.InputBatch(
            cube=_tensor(cube[None], pb.D_TYPE_UINT16),
            wavelengths=_tensor(wavelengths[None], pb.D_TYPE_INT32),
        )
        stub.GetTrainStatus(pb.GetTrainStatusRequest(session_id=session_id))
        stub.Inference(pb.InferenceRequest(session_id=session_id, inputs=inputs))
        save = pb.SavePipelineRequest(session_id=session_id, pipeline_path="traced.yaml")
        stub.SavePipeline(save)
        stub.LoadPipelineWeights(
            pb.LoadPipelineWeightsRequest(session_id=session_id, weights_path="traced.pt")
        )
        stub.CloseSession(pb.CloseSessionRequest(session_id=session_id))


def _tensor(array: np.ndarray, dtype: int) -> pb.Tensor:
    return pb.Tensor(shape=array.shape, dtype=dtype, raw_data=array.tobytes())


def _is_server(span: ReceivedSpan) -> bool:
    return span.service != "gateway"


def _trace_of(spans: list[ReceivedSpan], method: str) -> list[ReceivedSpan]:
    """All spans of the one call of `method` that was made."""
    ids = {s.trace_id for s in spans if s.name.endswith(f"/{method}") and _is_server(s)}
    assert len(ids) == 1, ids
    return [span for span in spans if span.trace_id in ids]


def _complete(spans: list[ReceivedSpan], method: str, inmost: str = "") -> bool:
    """Whether the gateway, the service and, if named, what is inmost in the call have reported."""
    ids = {s.trace_id for s in spans if s.name.endswith(f"/{method}") and _is_server(s)}
    trace = [span for span in spans if span.trace_id in ids]
    from_gateway = [span for span in trace if span.service == "gateway"]
    return (
        any(not span.parent_id for span in from_gateway)
        and any(span.parent_id for span in from_gateway)
        and (not inmost or any(span.name == inmost for span in trace))
    )


def _assert_connected(trace: list[ReceivedSpan]) -> None:
    """One tree that the gateway's span is the root of."""
    roots = [span for span in trace if not span.parent_id]
    assert [span.service for span in roots] == ["gateway"]
    ids = {span.span_id for span in trace}
    lost = [(s.service, s.name) for s in trace if s.parent_id and s.parent_id not in ids]
    assert not lost
