"""The protobuf wire format: varints, tags and fields of a serialised message."""

from collections.abc import Iterator

VARINT, I64, LEN, START_GROUP, END_GROUP, I32 = range(6)
"""Wire types, the low three bits of a tag."""

_MAX_VARINT_BYTES = 10
_FIXED_BYTES = {I64: 8, I32: 4}


class IrregularMessageError(ValueError):
    """The bytes are malformed or use a rare feature; only protobuf itself can decide which."""


def read_varint(view: memoryview, at: int, max_bytes: int = _MAX_VARINT_BYTES) -> tuple[int, int]:
    """Read an unsigned integer.

    Args:
        view: The message.
        at: Position of the integer.
        max_bytes: 10 for a value, 5 for a tag or a length.

    Returns:
        The integer and the position after it.

    Raises:
        IrregularMessageError: it extends past the end of the message or is too long.
    """
    value = shift = 0
    for place in range(at, min(at + max_bytes, len(view))):
        byte = view[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise IrregularMessageError("the message is truncated")


def write_varint(value: int) -> bytes:
    """Encode an integer of at most 64 bits; a negative one takes ten bytes, as int64 does."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def tag(number: int, wire_type: int) -> bytes:
    """Encode the tag of a field."""
    return write_varint(number << 3 | wire_type)


def fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Iterate over the fields of a serialised message without copying them.

    Yields:
        For each field in order: its number; the bytes of its value, without the length prefix;
        and the bytes of the whole field.

    Raises:
        IrregularMessageError: the message is malformed or truncated, or contains a group.
    """
    position = 0
    while position < len(message):
        start = position
        key, position = read_varint(message, position)
        value_start, wire_type = position, key & 7
        if wire_type == VARINT:
            _, position = read_varint(message, position)
        elif wire_type == LEN:
            length, value_start = read_varint(message, position)
            position = value_start + length
        elif wire_type in _FIXED_BYTES:
            position += _FIXED_BYTES[wire_type]
        else:
            raise IrregularMessageError(f"a field of wire type {wire_type}")
        if position > len(message):
            raise IrregularMessageError("the message is truncated")
        yield key >> 3, message[value_start:position], message[start:position]
