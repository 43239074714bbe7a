"""Inputs of inferences: NumPy arrays, torch tensors, boxes, points, texts and other inputs."""

import numpy as np
import pytest
import torch

import cuvis_fleet
from cuvis_fleet import Box, Point
from cuvis_fleet.inference.tensors import DTYPES
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import SESSION_ID

CUBE = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
WAVELENGTHS_NM = [450, 550, 650, 750]


@pytest.fixture
def sent(using, address, double):
    """``sent(...)``: the inputs that an inference with these arguments sends."""
    double.answers["Inference"] = pb.InferenceResponse()

    def infer(*arguments, **more):
        using(address, lambda client: client.attach(SESSION_ID).infer(*arguments, **more))
        (request,) = double.requests("Inference")
        assert request.HasField("inputs")
        return request.inputs

    return infer


def values(tensor):
    return np.frombuffer(tensor.raw_data, DTYPES[tensor.dtype]).reshape(tensor.shape)


def test_boxes(sent):
    boxes = [Box(1.5, 2, 30, 40, element_id=1, object_id=7), Box(0, 0, 1, 1)]
    first, second = sent(CUBE, WAVELENGTHS_NM, bboxes=boxes).bboxes.boxes
    assert first == pb.BoundingBox(
        element_id=1, x_min=1.5, y_min=2, x_max=30, y_max=40, object_id=7
    )
    assert not second.HasField("object_id")


def test_points(sent):
    points = (Point(1, 2, "positive"), Point(3.5, 4, "negative", element_id=1), Point(5, 6))
    assert list(sent(CUBE, WAVELENGTHS_NM, points=points).points.points) == [
        pb.Point(x=1, y=2, type=pb.POINT_TYPE_POSITIVE),
        pb.Point(x=3.5, y=4, type=pb.POINT_TYPE_NEGATIVE, element_id=1),
        pb.Point(x=5, y=6, type=pb.POINT_TYPE_NEUTRAL),
    ]


def test_a_single_prompt(sent):
    inputs = sent(bboxes=Box(0, 1, 2, 3), points=Point(4, 5), text="lentils")
    assert [box.y_max for box in inputs.bboxes.boxes] == [3]
    assert [point.x for point in inputs.points.points] == [4]
    assert inputs.text_prompt == "lentils"
    assert not inputs.HasField("cube")


def test_empty_prompts_and_missing_prompts_differ(sent):
    inputs = sent(CUBE, WAVELENGTHS_NM, bboxes=[])
    assert inputs.HasField("bboxes")
    assert not inputs.HasField("points")


def test_named_and_additional_inputs(sent):
    image = np.full((2, 3, 3), 0.5, np.float32)
    inputs = sent(CUBE, rgb_image=image, frame_id=3, mesu_index=[7], gain=np.float64([1.5, 2.5]))
    np.testing.assert_array_equal(values(inputs.rgb_image), image[None])
    assert values(inputs.frame_id).tolist() == [3]
    assert values(inputs.mesu_index).tolist() == [7]
    assert set(inputs.extra_inputs) == {"gain"}
    assert values(inputs.extra_inputs["gain"]).tolist() == [1.5, 2.5]


def test_large_and_small_arrays_together(sent):
    cube = np.arange(64 * 64 * 40, dtype=np.float32).reshape(64, 64, 40)
    given = {"weight": cube[::-1], "gain": np.float32([0.5]), "bias": cube[..., :30]}
    inputs = sent(cube, np.arange(400, 440), mask=np.eye(64), text="lentils", **given)
    np.testing.assert_array_equal(values(inputs.cube), cube[None])
    assert values(inputs.wavelengths).tolist() == [list(range(400, 440))]
    np.testing.assert_array_equal(values(inputs.mask), np.eye(64)[None])
    assert inputs.text_prompt == "lentils"
    assert set(inputs.extra_inputs) == set(given)
    for name, array in given.items():
        np.testing.assert_array_equal(values(inputs.extra_inputs[name]), array)


def test_a_request_without_inputs_has_a_batch(sent):
    assert sent() == pb.InputBatch()


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.uint32, np.float32])
def test_masks_of_any_type_are_sent_as_classes(sent, dtype):
    mask = np.array([[0, 1, 1], [1, 0, 0]], dtype)
    inputs = sent(CUBE, WAVELENGTHS_NM, mask=mask)
    assert inputs.mask.dtype == pb.D_TYPE_INT32
    np.testing.assert_array_equal(values(inputs.mask), mask[None])


def test_torch_tensors(sent):
    cube = torch.arange(24, dtype=torch.float32, requires_grad=True).reshape(2, 3, 4)
    wavelengths = torch.tensor([450.4, 550.6, 650.0, 750.0])
    mask = torch.ones(2, 3, dtype=torch.bool)
    gain = torch.tensor([0.5], dtype=torch.float16)
    inputs = sent(cube.transpose(0, 1), wavelengths, mask=mask, gain=gain)
    np.testing.assert_array_equal(values(inputs.cube)[0], cube.detach().numpy().swapaxes(0, 1))
    assert values(inputs.wavelengths).tolist() == [[450, 551, 650, 750]]
    assert values(inputs.mask).tolist() == [[[1, 1, 1], [1, 1, 1]]]
    assert values(inputs.extra_inputs["gain"]).tolist() == [0.5]


KNOWN = "convert it to one of float32, float64, int32, int64, uint8, bool, float16, uint16"
WRONG = {
    "rank": (
        ((np.zeros((2, 2)),), {}),
        "the cube has the shape (2, 2); [H,W,C] or [B,H,W,C] is needed",
    ),
    "type": (((np.zeros((1, 1, 1), object),), {}), f"the cube has the type object; {KNOWN}"),
    "ragged": ((([[[1], [1, 2]]],), {}), "the cube cannot be converted to an array ("),
    "bfloat16": (
        ((torch.zeros(1, 1, 1, dtype=torch.bfloat16),), {}),
        "the cube cannot be converted to an array (Got unsupported ScalarType BFloat16); "
        "convert it to",
    ),
    "bands": (
        ((CUBE, [450, 550]), {}),
        "2 wavelengths do not fit a cube of 4 bands; pass one for each band along the "
        "cube's last axis",
    ),
    "wavelengths-rank": ((([CUBE, 450]), {}), "the wavelengths have the shape (); [C] or [B,C]"),
    "wavelengths-text": (
        ((CUBE, ["a", "b", "c", "d"]), {}),
        "the wavelengths are not all finite numbers of nanometres",
    ),
    "wavelengths-nan": (
        ((CUBE, [450, np.nan, 650, 750]), {}),
        "the wavelengths are not all finite numbers of nanometres",
    ),
    "wavelengths-picometres": (
        ((CUBE, [4.5e11, 5.5e11, 6.5e11, 7.5e11]), {}),
        "wavelengths_nm has values that are not 32-bit integers",
    ),
    "mask-fractions": (
        ((CUBE, WAVELENGTHS_NM), {"mask": np.full((2, 3), 0.5)}),
        "the mask has values that are not 32-bit integers",
    ),
    "mask-large": (
        ((CUBE, WAVELENGTHS_NM), {"mask": np.full((2, 3), 2**40)}),
        "the mask has values that are not 32-bit integers",
    ),
    "frame-text": (
        ((CUBE,), {"frame_id": "first"}),
        "frame_id has values that are not 64-bit integers",
    ),
    "frame-fraction": (
        ((CUBE,), {"frame_id": 1.5}),
        "frame_id has values that are not 64-bit integers",
    ),
    "frame-rank": (
        ((CUBE,), {"mesu_index": [[1]]}),
        "mesu_index has the shape (1, 1); one number or [B] is needed",
    ),
    "box": (
        ((CUBE,), {"bboxes": [(0, 0, 1, 1)]}),
        "bboxes contains a tuple; pass cuvis_fleet.Box objects",
    ),
    "point": (
        ((CUBE,), {"points": [Box(0, 0, 1, 1)]}),
        "points contains a Box; pass cuvis_fleet.Point objects",
    ),
    "own": (((CUBE,), {"gain": "high"}), f"gain has the type <U4; {KNOWN}"),
}


@pytest.mark.parametrize(("given", "text"), WRONG.values(), ids=list(WRONG))
def test_an_unsupported_argument_is_reported_in_one_line(using, address, double, given, text):
    arguments, more = given
    with pytest.raises(cuvis_fleet.WrongArgument) as caught:
        using(address, lambda client: client.attach(SESSION_ID).infer(*arguments, **more))
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)
    assert not double.received


def test_a_configuration_that_json_cannot_represent_is_rejected(using, address):
    with pytest.raises(cuvis_fleet.WrongArgument, match=r"int64 .*plain numbers"):
        using(address, lambda client: client.attach(SESSION_ID).apply({"seed": np.int64(1)}))
