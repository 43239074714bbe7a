"""Parses the bytes of an ``InferenceRequest`` into a `DecodedRequest`."""

from collections.abc import Callable
from functools import partial

from google.protobuf.message import DecodeError

from fleet_inference.wire.decoded_request import DecodedRequest, SharedRegion, WireTensor
from fleet_inference.wire.payload_cut import cut_payloads, payload_of
from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    POINT_TYPE_NEGATIVE,
    POINT_TYPE_POSITIVE,
    BoundingBox,
    BoundingBoxes,
    InferenceRequest,
    InputBatch,
    Point,
    Points,
    Tensor,
)
from fleet_proto.wire import IrregularMessageError

_SMALL_BYTES = 256 * 1024
"""Below this size, protobuf's copy costs less than walking the message in Python."""

_TENSOR_FIELDS = tuple(
    field.name for field in InputBatch.DESCRIPTOR.fields if field.message_type is Tensor.DESCRIPTOR
)
_ABSENT_WHEN_EMPTY = frozenset({"mesu_index", "frame_id"})
_POINT_KINDS = {POINT_TYPE_POSITIVE: "positive", POINT_TYPE_NEGATIVE: "negative"}


_Payload = Callable[[bytes], memoryview]
"""Returns the bytes for the ``raw_data`` of a parsed tensor."""


def decode_inference_request(buffer: bytes) -> DecodedRequest:
    """Parse a request without copying tensor bytes; they become views of `buffer`.

    Raises:
        InvalidInput: the bytes are not an ``InferenceRequest``.
    """
    request = InferenceRequest()
    payload: _Payload = memoryview
    try:
        if len(buffer) < _SMALL_BYTES:
            request.MergeFromString(buffer)
        else:
            try:
                skeleton, payloads = cut_payloads(buffer)
            except IrregularMessageError:
                request.MergeFromString(buffer)
            else:
                request.MergeFromString(skeleton)
                payload = partial(payload_of, payloads=payloads)
    except DecodeError:
        raise InvalidInput(
            f"The request of {len(buffer)} bytes is not a cuvis_ai.v1.InferenceRequest."
        ) from None
    return _to_call(request, payload)


def _to_call(request: InferenceRequest, payload: _Payload) -> DecodedRequest:
    inputs = request.inputs
    tensors = {}
    for name in _TENSOR_FIELDS:
        if inputs.HasField(name):  # type: ignore[arg-type]  # names come from the descriptor
            tensor = _to_tensor(getattr(inputs, name), payload)
            if name not in _ABSENT_WHEN_EMPTY or tensor.size_bytes:
                tensors[name] = tensor
    return DecodedRequest(
        session_id=request.session_id,
        output_specs=frozenset(request.output_specs),
        tensors=tensors,
        extra_tensors={
            key: _to_tensor(value, payload) for key, value in inputs.extra_inputs.items()
        },
        annotations=_to_annotations(inputs),
    )


def _to_tensor(tensor: Tensor, payload: _Payload) -> WireTensor:
    region = None
    if tensor.WhichOneof("payload") == "shm_ref":
        there = tensor.shm_ref
        region = SharedRegion(there.name, there.byte_offset, there.byte_size)
    return WireTensor(tuple(tensor.shape), tensor.dtype, payload(tensor.raw_data), region)


def _to_annotations(inputs: InputBatch) -> dict[str, object]:
    annotations: dict[str, object] = {}
    if inputs.HasField("bboxes"):
        annotations["bboxes"] = _to_boxes(inputs.bboxes)
    if inputs.HasField("points"):
        annotations["points"] = _to_points(inputs.points)
    if inputs.text_prompt:
        annotations["text_prompt"] = inputs.text_prompt
    return annotations


def _to_boxes(boxes: BoundingBoxes) -> list[dict[str, int | float]]:
    return [_to_box(box) for box in boxes.boxes]


def _to_box(box: BoundingBox) -> dict[str, int | float]:
    entry: dict[str, int | float] = {
        "element_id": box.element_id,
        "x_min": box.x_min,
        "y_min": box.y_min,
        "x_max": box.x_max,
        "y_max": box.y_max,
    }
    if box.HasField("object_id"):
        entry["object_id"] = box.object_id
    return entry


def _to_points(points: Points) -> list[dict[str, int | float | str]]:
    return [_to_point(point) for point in points.points]


def _to_point(point: Point) -> dict[str, int | float | str]:
    return {
        "element_id": point.element_id,
        "x": point.x,
        "y": point.y,
        "type": _POINT_KINDS.get(point.type, "neutral"),
    }
