"""Decodes inference responses without copying large arrays."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError, Message

from cuvis_fleet.inference.tensors import DTYPES, LARGE_BYTES
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.wire import fields

Parsed = TypeVar("Parsed", bound=Message)


def decode_outputs(
    reply: bytes,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, float]]:
    """Decode a serialised ``InferenceResponse`` into read-only arrays and metrics.

    The arrays of a large response are views of its bytes.

    Raises:
        ValueError: the bytes are not a valid ``InferenceResponse``.
    """
    if len(reply) < LARGE_BYTES:
        response = _parsed(pb.InferenceResponse, reply)
        small = {name: _array(each, each.raw_data) for name, each in response.outputs.items()}
        return small, dict(response.metrics)
    outputs: dict[str, npt.NDArray[Any]] = {}
    rest = bytearray()
    for number, value, whole in fields(memoryview(reply)):
        if number == pb.InferenceResponse.OUTPUTS_FIELD_NUMBER:
            name, array = _entry(value)
            outputs[name] = array
        else:
            rest += whole
    return outputs, dict(_parsed(pb.InferenceResponse, bytes(rest)).metrics)


def _entry(entry: memoryview) -> tuple[str, npt.NDArray[Any]]:
    name, tensor = "", memoryview(b"")
    for number, value, _ in fields(entry):
        if number == 1:
            name = bytes(value).decode()
        elif number == 2:
            tensor = value
    data, rest = memoryview(b""), bytearray()
    for number, value, whole in fields(tensor):
        if number == pb.Tensor.RAW_DATA_FIELD_NUMBER:
            data = value
        else:
            rest += whole
    return name, _array(_parsed(pb.Tensor, bytes(rest)), data)


def _parsed(kind: type[Parsed], content: bytes) -> Parsed:
    try:
        return kind.FromString(content)
    except DecodeError as error:
        raise ValueError(f"not a {kind.DESCRIPTOR.name}: {error}") from error


def _array(head: pb.Tensor, data: bytes | memoryview) -> npt.NDArray[Any]:
    if head.dtype not in DTYPES:
        raise ValueError(f"a tensor has the unknown type {head.dtype}")
    flat = np.frombuffer(data, DTYPES[head.dtype])
    return flat.reshape(tuple(head.shape)) if head.shape else flat
