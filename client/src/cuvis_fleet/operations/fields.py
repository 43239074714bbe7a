"""Iterates over the fields of a serialised message without copying them."""

from collections.abc import Iterator

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MAX_VARINT_BYTES = 10


def fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Iterate over the fields of a serialised message.

    Yields:
        For each field in order: its number; the bytes of its value, without the length prefix;
        and the bytes of the whole field.

    Raises:
        ValueError: the message is malformed or truncated.
    """
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        value_start, kind = position, tag & 7
        if kind == _VARINT:
            _, position = _varint(message, position)
        elif kind == _DELIMITED:
            length, value_start = _varint(message, position)
            position = value_start + length
        elif kind in _FIXED_BYTES:
            position += _FIXED_BYTES[kind]
        else:
            raise ValueError(f"a field of wire type {kind}")
        if position > len(message):
            raise ValueError("the message is truncated")
        yield tag >> 3, message[value_start:position], message[start:position]


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if position + index >= len(message):
            break
        byte = message[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("the message is truncated")
