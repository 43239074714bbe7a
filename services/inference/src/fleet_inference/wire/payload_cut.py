"""Separates the tensor bytes from a serialised ``InferenceRequest``.

The remaining message has each ``Tensor.raw_data`` replaced by a four-byte ticket. It is small, and
protobuf parses it with all its rules (unknown fields, repeated occurrences that merge, the last of
a oneof wins, UTF-8). The ticket of a parsed tensor then identifies its bytes.
"""

from collections.abc import Mapping

from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import InferenceRequest, InputBatch, Tensor
from fleet_proto.wire import (
    I32,
    I64,
    LEN,
    VARINT,
    IrregularMessageError,
    read_varint,
    write_varint,
)

Layout = Mapping[int, "Layout | None"]
"""The length-delimited fields to descend into, by number; None marks a payload."""

_TENSOR: Layout = {Tensor.RAW_DATA_FIELD_NUMBER: None}
_MAP_ENTRY: Layout = {2: _TENSOR}
_INPUTS: Layout = {
    **{
        field.number: _TENSOR
        for field in InputBatch.DESCRIPTOR.fields
        if field.message_type is Tensor.DESCRIPTOR
    },
    InputBatch.EXTRA_INPUTS_FIELD_NUMBER: _MAP_ENTRY,
}
_REQUEST: Layout = {InferenceRequest.INPUTS_FIELD_NUMBER: _INPUTS}

_TICKET_BYTES = 4


def cut_payloads(buffer: bytes) -> tuple[bytes, list[memoryview]]:
    """Separate a request from its tensor bytes.

    Args:
        buffer: a serialised ``InferenceRequest``.

    Returns:
        The message with tickets, and the payloads in the order of their tickets, as views of
        `buffer`.

    Raises:
        IrregularMessageError: the message has to be parsed by protobuf as a whole.
    """
    payloads: list[memoryview] = []
    return _cut(memoryview(buffer), _REQUEST, payloads), payloads


def payload_of(ticket: bytes, payloads: list[memoryview]) -> memoryview:
    """Return the payload for the ticket of a parsed tensor; empty if it has no ticket."""
    return payloads[int.from_bytes(ticket, "little")] if ticket else memoryview(b"")


def _cut(view: memoryview, layout: Layout, payloads: list[memoryview]) -> bytes:
    """Rewrite one message; a plain function, so that no reference cycle keeps `view` alive."""
    pieces: list[bytes | memoryview] = []
    copied = at = 0
    while at < len(view):
        tag, at = read_varint(view, at, 5)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise IrregularMessageError
        if wire_type != LEN:
            at = _after_scalar(view, at, wire_type)
            continue
        size, body = read_varint(view, at, 5)
        end = body + size
        if end > len(view):
            raise IrregularMessageError
        if number in layout:
            inner = layout[number]
            if inner is None:
                replacement = len(payloads).to_bytes(_TICKET_BYTES, "little")
                payloads.append(view[body:end])
            else:
                replacement = _cut(view[body:end], inner, payloads)
            pieces += (view[copied:at], write_varint(len(replacement)), replacement)
            copied = end
        at = end
    pieces.append(view[copied:])
    return b"".join(pieces)


def _after_scalar(view: memoryview, at: int, wire_type: int) -> int:
    """Return the offset after a number; groups and unknown wire types are irregular."""
    if wire_type == VARINT:
        return read_varint(view, at)[1]
    sizes = {I64: 8, I32: 4}
    end = at + sizes.get(wire_type, len(view) + 1)
    if end > len(view):
        raise IrregularMessageError
    return end
