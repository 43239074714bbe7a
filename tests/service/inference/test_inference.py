"""Inference over the wire: correct values, and a session stays usable after an error."""

import threading
import time
from typing import Any

import numpy as np
import pytest
import torch
from grpc import StatusCode

from fleet_inference import inference
from fleet_inference.materialiser import Materialiser
from fleet_platform.rpc import Call
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.methods import SERVICE_NAME
from fleet_proto.records.v1.records_pb2 import Pipeline
from tests.service.inference.conftest import (
    CHANNELS,
    WAVELENGTHS_NM,
    Fitted,
    Refused,
    Served,
    batch,
    cube,
    rx_config,
    tensor,
    to_numpy,
)

ALL_KEYS = {
    "data.cube",
    "data.wavelengths",
    "normalizer.normalized",
    "detector.scores",
    "logit.logits",
    "decider.decisions",
}


def reference_scores(train: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Global RX in float64, on values scaled by the extremes of the training data."""
    low, high = train.min(), train.max()
    background = ((train.astype(np.float64) - low) / (high - low)).reshape(-1, CHANNELS)
    pixels = ((measured.astype(np.float64) - low) / (high - low)).reshape(-1, CHANNELS)
    covariance = np.cov(background, rowvar=False) + 1e-6 * np.eye(CHANNELS)
    centred = pixels - background.mean(axis=0)
    scores = np.einsum("nc,cd,nd->n", centred, np.linalg.inv(covariance), centred)
    return np.asarray(scores.reshape(*measured.shape[:3], 1))


def test_scores_and_decisions(served: Served, fitted: Fitted) -> None:
    reply = served.infer(served.ready(fitted))
    assert set(reply.outputs) == ALL_KEYS
    scores = to_numpy(reply.outputs["detector.scores"])
    np.testing.assert_allclose(scores, reference_scores(cube(32, 1), cube()), rtol=1e-3)
    logits = to_numpy(reply.outputs["logit.logits"])
    decisions = to_numpy(reply.outputs["decider.decisions"])
    assert decisions.dtype == bool
    np.testing.assert_array_equal(decisions, logits >= 0)
    np.testing.assert_array_equal(to_numpy(reply.outputs["data.cube"]), cube())
    np.testing.assert_array_equal(to_numpy(reply.outputs["data.wavelengths"]), WAVELENGTHS_NM)


def test_large_requests_take_the_same_way(served: Served, fitted: Fitted) -> None:
    big = cube(160)
    assert big.nbytes > 256 * 1024
    reply = served.infer(served.ready(fitted), batch(big), "scores")
    scores = to_numpy(reply.outputs["detector.scores"])
    np.testing.assert_allclose(scores, reference_scores(cube(32, 1), big), rtol=1e-3)


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (("decider.decisions",), {"decider.decisions"}),
        (("scores", "logits"), {"detector.scores", "logit.logits"}),
        (("decider.decisions", "nothing"), {"decider.decisions"}),
        (("nothing.here",), set()),
    ],
)
def test_output_specs(
    served: Served, fitted: Fitted, wanted: tuple[str, ...], keys: set[str]
) -> None:
    reply = served.infer(served.ready(fitted), None, *wanted)
    assert set(reply.outputs) == keys


@pytest.mark.parametrize(
    ("number", "dtype"),
    [(pb.D_TYPE_FLOAT32, "<f4"), (pb.D_TYPE_FLOAT64, "<f8"), (pb.D_TYPE_INT32, "<i4")],
)
def test_cubes_of_other_dtypes(
    served: Served, fitted: Fitted, number: "pb.DType.ValueType", dtype: str
) -> None:
    session = served.ready(fitted)
    other = batch()
    other.cube.CopyFrom(tensor(cube().astype(dtype), number))
    other.wavelengths.CopyFrom(tensor(WAVELENGTHS_NM.astype("<f4"), pb.D_TYPE_FLOAT32))
    expected = served.infer(session, None, "scores").outputs["detector.scores"]
    assert served.infer(session, other, "scores").outputs["detector.scores"] == expected


def test_inputs_that_no_node_reads(served: Served, fitted: Fitted) -> None:
    session = served.ready(fitted)
    inputs = batch()
    inputs.text_prompt = "lentil"
    inputs.bboxes.boxes.add(element_id=1, x_max=2)
    inputs.points.points.add(x=1, type=pb.POINT_TYPE_POSITIVE)
    inputs.mesu_index.CopyFrom(tensor(np.array([4]), pb.D_TYPE_INT64))
    inputs.extra_inputs["gain"].CopyFrom(tensor(np.array([4]), pb.D_TYPE_INT64))
    assert set(served.infer(session, inputs).outputs) == ALL_KEYS


def test_a_mask_is_labelled(served: Served, fitted: Fitted) -> None:
    session = served.ready(fitted)
    inputs = batch()
    classes = np.arange(64, dtype=np.int32).reshape(1, 8, 8) % 3
    inputs.mask.CopyFrom(tensor(classes, pb.D_TYPE_INT32))
    reply = served.infer(session, inputs, "mask")
    np.testing.assert_array_equal(to_numpy(reply.outputs["data.mask"])[..., 0], classes != 0)


def _without(field: str) -> pb.InputBatch:
    inputs = batch()
    inputs.ClearField(field)  # type: ignore[arg-type]
    return inputs


def _with_cube(message: pb.Tensor) -> pb.InputBatch:
    inputs = batch()
    inputs.cube.CopyFrom(message)
    return inputs


U16 = pb.D_TYPE_UINT16


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (_without("cube"), "'cube'"),
        (_without("wavelengths"), "'wavelengths'"),
        (_with_cube(tensor(cube()[0], U16)), "uint16 [8, 8, 7]"),
        (_with_cube(tensor(cube()[..., :5], U16)), "5 channels"),
        (_with_cube(tensor(cube()[:0], U16)), "empty"),
        (_with_cube(pb.Tensor(shape=[1, 8, 8, 7], dtype=U16, raw_data=b"123")), "inputs.cube:"),
        (_with_cube(pb.Tensor(shape=[1], dtype=99, raw_data=b"1")), "Unsupported dtype: 99"),  # type: ignore[arg-type]
        (_with_cube(pb.Tensor(shape=[2**62, 2**62], dtype=U16)), "inputs.cube:"),
    ],
)
def test_inputs_that_do_not_fit(
    served: Served, fitted: Fitted, refused: Refused, inputs: pb.InputBatch, text: str
) -> None:
    session = served.ready(fitted)
    refused(lambda: served.infer(session, inputs), StatusCode.INVALID_ARGUMENT, text)
    assert set(served.infer(session).outputs) == ALL_KEYS


@pytest.mark.parametrize("content", [b"\xff\xff", b"\x12\x7f" + bytes(3), b"\x12\x7f" * 200_000])
def test_bytes_that_are_not_a_request(
    served: Served, fitted: Fitted, refused: Refused, content: bytes
) -> None:
    session = served.ready(fitted)
    raw: Any = served.channel.unary_unary(f"/{SERVICE_NAME}/Inference")
    refused(lambda: raw(content), StatusCode.INVALID_ARGUMENT, "not a cuvis_ai.v1.InferenceRequest")
    assert set(served.infer(session).outputs) == ALL_KEYS


def test_unknown_session(served: Served, refused: Refused) -> None:
    refused(lambda: served.infer("nobody"), StatusCode.NOT_FOUND, "Session nobody not found")


def test_no_pipeline_yet(served: Served, fitted: Fitted, refused: Refused) -> None:
    session = served.session()
    for call in (
        lambda: served.infer(session),
        lambda: served.stub.GetPipelineInputs(pb.GetPipelineInputsRequest(session_id=session)),
        lambda: served.stub.GetPipelineOutputs(pb.GetPipelineOutputsRequest(session_id=session)),
        lambda: served.stub.SavePipeline(
            pb.SavePipelineRequest(session_id=session, pipeline_path="a.yaml")
        ),
        lambda: served.stub.LoadPipelineWeights(
            pb.LoadPipelineWeightsRequest(session_id=session, weights_bytes=fitted.published)
        ),
    ):
        refused(call, StatusCode.FAILED_PRECONDITION, "LoadPipeline or SetTrainRunConfig")


def test_not_fitted_yet(served: Served, refused: Refused) -> None:
    session = served.session()
    served.load(session, rx_config())
    refused(lambda: served.infer(session), StatusCode.FAILED_PRECONDITION, "Train")
    assert set(served.infer(session, None, "cube").outputs) == {"data.cube"}


def test_out_of_memory(
    served: Served, fitted: Fitted, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = served.ready(fitted)

    def too_large(*_: object) -> object:
        return torch.empty(2**50)

    with monkeypatch.context() as patch:
        patch.setattr(inference, "to_batch", too_large)
        refused(
            lambda: served.infer(session),
            StatusCode.RESOURCE_EXHAUSTED,
            "more memory than is available",
        )
    assert set(served.infer(session).outputs) == ALL_KEYS


@pytest.mark.parametrize("served", [{"grpc_max_msg_size": 100_000}], indirect=True)
def test_outputs_that_do_not_fit_into_a_message(
    served: Served, fitted: Fitted, refused: Refused
) -> None:
    session = served.ready(fitted)
    large = batch(np.zeros((1, 64, 64, CHANNELS), np.uint16))
    refused(
        lambda: served.infer(session, large),
        StatusCode.RESOURCE_EXHAUSTED,
        "at most 100000 fit into a reply",
        "request fewer outputs",
    )
    assert served.infer(session, large, "decisions").outputs


def test_nothing_is_computed_for_a_caller_who_left(
    served: Served, fitted: Fitted, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = served.ready(fitted)
    request = pb.InferenceRequest(session_id=session, inputs=batch())
    left = threading.Event()
    begun: list[object] = []
    get, to_batch = Materialiser.get, inference.to_batch

    def once_the_caller_left(self: Materialiser, stored: Pipeline, call: Call) -> object:
        deadline = time.monotonic() + 120
        while call.is_active() and time.monotonic() < deadline:
            left.wait(0.01)
        left.set()
        return get(self, stored, call)

    def counted(*arguments: Any) -> object:
        begun.append(arguments)
        return to_batch(*arguments)

    monkeypatch.setattr(inference, "to_batch", counted)
    with monkeypatch.context() as patch:
        patch.setattr(Materialiser, "get", once_the_caller_left)
        refused(lambda: served.stub.Inference(request, timeout=1), StatusCode.DEADLINE_EXCEEDED)
        assert left.wait(120)
    assert set(served.infer(session).outputs) == ALL_KEYS
    assert len(begun) == 1


def test_specs_of_inputs_and_outputs(served: Served) -> None:
    session = served.session()
    served.load(session, rx_config())
    inputs = served.stub.GetPipelineInputs(pb.GetPipelineInputsRequest(session_id=session))
    assert list(inputs.input_names) == ["cube", "mask", "wavelengths"]
    assert set(inputs.input_specs) == set(inputs.input_names)
    assert inputs.input_specs["cube"].required
    assert not inputs.input_specs["mask"].required
    wavelengths = inputs.input_specs["wavelengths"]
    assert (wavelengths.name, wavelengths.dtype) == ("wavelengths", pb.D_TYPE_INT32)
    outputs = served.stub.GetPipelineOutputs(pb.GetPipelineOutputsRequest(session_id=session))
    decisions = outputs.output_specs["decider.decisions"]
    assert (decisions.dtype, list(decisions.shape)) == (pb.D_TYPE_BOOL, [-1, -1, -1, 1])
    assert "detector.scores" not in outputs.output_names
    assert not decisions.required
