"""The request codec says what protobuf text, and does not copy.

FUZZ_EXAMPLES=100000 python -m pytest tests/unit/inference/test_wire_request.py --hypothesis-seed=1
"""

import os
from collections.abc import Iterator

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_inference.wire import DecodedRequest, SharedRegion, WireTensor, decode_inference_request
from fleet_inference.wire import inference_request as module
from fleet_inference.wire.payload_cut import cut_payloads
from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.wire import IrregularMessageError
from tests.unit.inference import wire_messages as wire

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
TIMEOUT_S = 900 + EXAMPLES // 10


@pytest.fixture(autouse=True, scope="module")
def _walk_every_message() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "_SMALL_BYTES", 0)
    yield
    patch.undo()


def reference(buffer: bytes) -> DecodedRequest:
    """What protobuf's own parse of the same bytes says."""
    request = wire.parsed(buffer)
    inputs = request.inputs
    names = ("wavelengths", "cube", "mask", "mesu_index", "rgb_image", "frame_id")

    def tensor(message: pb.Tensor) -> WireTensor:
        there = message.shm_ref
        region = SharedRegion(there.name, there.byte_offset, there.byte_size)
        return WireTensor(
            tuple(message.shape),
            message.dtype,
            memoryview(message.raw_data),
            region if message.HasField("shm_ref") else None,
        )

    tensors = {name: tensor(getattr(inputs, name)) for name in names if inputs.HasField(name)}
    for name in ("mesu_index", "frame_id"):
        if name in tensors and tensors[name].size_bytes == 0:
            del tensors[name]
    kinds = ("neutral", "positive", "negative", "neutral")
    annotations: dict[str, object] = {}
    if inputs.HasField("bboxes"):
        annotations["bboxes"] = [
            {
                "element_id": box.element_id,
                "x_min": box.x_min,
                "y_min": box.y_min,
                "x_max": box.x_max,
                "y_max": box.y_max,
            }
            | ({"object_id": box.object_id} if box.HasField("object_id") else {})
            for box in inputs.bboxes.boxes
        ]
    if inputs.HasField("points"):
        annotations["points"] = [
            {
                "element_id": point.element_id,
                "x": point.x,
                "y": point.y,
                "type": kinds[point.type] if point.type < 4 else "neutral",
            }
            for point in inputs.points.points
        ]
    if inputs.text_prompt:
        annotations["text_prompt"] = inputs.text_prompt
    return DecodedRequest(
        session_id=request.session_id,
        output_specs=frozenset(request.output_specs),
        tensors=tensors,
        extra_tensors={key: tensor(value) for key, value in inputs.extra_inputs.items()},
        annotations=annotations,
    )


def agree(buffer: bytes) -> None:
    try:
        expected = reference(buffer)
    except DecodeError:
        with pytest.raises(InvalidInput, match="not a cuvis_ai"):
            decode_inference_request(buffer)
    else:
        assert decode_inference_request(buffer) == expected


@pytest.mark.timeout(TIMEOUT_S)
@settings(max_examples=EXAMPLES, deadline=None)
@given(wire.requests)
def test_regular_and_strange_requests(buffer: bytes) -> None:
    agree(buffer)


@pytest.mark.timeout(TIMEOUT_S)
@settings(max_examples=EXAMPLES, deadline=None)
@given(wire.damaged())
@example(b"\x12\x05\x12\x03\x1a\x05\x00")  # raw_data runs past its tensor
@example(b"\x12\x84\x80\x80\x80\x80\x80\x00")  # a length of seven bytes
@example(b"\x92\x00\x00")  # a tag in more bytes than it needs
@example(b"\x02\x00")  # field number 0
@example(b"\x13\x14")  # a group where the inputs stand
def test_damaged_requests(buffer: bytes) -> None:
    agree(buffer)


@pytest.mark.timeout(TIMEOUT_S)
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=64))
def test_noise(buffer: bytes) -> None:
    agree(buffer)


def test_the_walk_takes_what_clients_send() -> None:
    """Without this every case above could have gone through protobuf alone."""
    request = pb.InferenceRequest(session_id="s", output_specs=["a"])
    request.inputs.cube.raw_data = b"cube"
    request.inputs.extra_inputs["k"].raw_data = b"extra"
    _, payloads = cut_payloads(request.SerializeToString())
    assert sorted(map(bytes, payloads)) == [b"cube", b"extra"]
    with pytest.raises(IrregularMessageError):
        cut_payloads(b"\x13\x14")


def test_tensor_bytes_are_views_of_the_request() -> None:
    request = pb.InferenceRequest(session_id="s")
    request.inputs.cube.raw_data = bytes(100_000)
    buffer = request.SerializeToString()
    data = decode_inference_request(buffer).tensors["cube"].data
    assert data is not None
    assert data.obj is buffer
    assert data.readonly


def test_every_truncated_request_is_handled_like_by_protobuf() -> None:
    request = pb.InferenceRequest(session_id="session", output_specs=["decider.decisions"])
    request.inputs.cube.shape.extend([1, 2, -3])
    request.inputs.cube.raw_data = b"0123456789"
    request.inputs.extra_inputs["more"].raw_data = b"abc"
    buffer = request.SerializeToString()
    for length in range(len(buffer)):
        agree(buffer[:length])
