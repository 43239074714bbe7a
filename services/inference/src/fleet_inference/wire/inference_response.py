"""Serialises an ``InferenceResponse``, copying tensor memory only once."""

import struct
from collections.abc import Mapping

from fleet_inference.wire.decoded_request import WireTensor
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import InferenceResponse, Tensor
from fleet_proto.wire import I32, LEN, VARINT, tag, write_varint

_KEY = tag(1, LEN)
_TENSOR_VALUE = tag(2, LEN)
_FLOAT_VALUE = tag(2, I32)
_OUTPUT = tag(InferenceResponse.OUTPUTS_FIELD_NUMBER, LEN)
_METRIC = tag(InferenceResponse.METRICS_FIELD_NUMBER, LEN)
_SHAPE = tag(Tensor.SHAPE_FIELD_NUMBER, LEN)
_DTYPE = tag(Tensor.DTYPE_FIELD_NUMBER, VARINT)
_RAW_DATA = tag(Tensor.RAW_DATA_FIELD_NUMBER, LEN)


def encode_inference_response(
    outputs: Mapping[str, WireTensor], metrics: Mapping[str, float]
) -> bytes:
    """Serialise a reply.

    Args:
        outputs: tensors by ``node.port``, with their bytes in ``data``.
        metrics: numbers by ``node.port``; rounded to float32, the type of the field.

    Returns:
        A serialised ``InferenceResponse``; the bytes of each tensor are copied exactly once.
    """
    pieces: list[bytes | memoryview] = []
    for key, tensor in outputs.items():
        data = tensor.data
        head = _tensor_head(tensor, len(data))
        text = _key(key)
        value_bytes = len(head) + len(data)
        entry = text + _TENSOR_VALUE + write_varint(value_bytes) + head
        pieces += (_OUTPUT, write_varint(len(entry) + len(data)), entry, data)
    for key, value in metrics.items():
        entry = _key(key) + _FLOAT_VALUE + _float32(value)
        pieces += (_METRIC, write_varint(len(entry)), entry)
    return b"".join(pieces)


def _key(text: str) -> bytes:
    encoded = text.encode()
    return _KEY + write_varint(len(encoded)) + encoded


def _tensor_head(tensor: WireTensor, data_bytes: int) -> bytes:
    """Return the part of a serialised ``Tensor`` that precedes its data."""
    shape = b"".join(map(write_varint, tensor.shape))
    packed = _SHAPE + write_varint(len(shape)) + shape if shape else b""
    return packed + _DTYPE + write_varint(tensor.dtype) + _RAW_DATA + write_varint(data_bytes)


def _float32(value: float) -> bytes:
    """Encode as float32; values that are too large become infinity, as in protobuf."""
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))
