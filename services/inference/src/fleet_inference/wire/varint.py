"""Base-128 integers and field tags of the protobuf wire format."""

VARINT, I64, LEN, START_GROUP, END_GROUP, I32 = range(6)
"""Wire types, the low three bits of a tag."""


class IrregularMessageError(Exception):
    """The bytes are malformed or use a rare feature; protobuf itself has to judge them."""


def read_varint(view: memoryview, at: int, most_bytes: int) -> tuple[int, int]:
    """Read an unsigned integer.

    Args:
        view: the message.
        at: where the integer begins.
        most_bytes: 10 for a value, 5 for a tag or a length.

    Returns:
        The integer and the place after it.

    Raises:
        IrregularMessageError: it runs past the end of the message or is too long.
    """
    value = shift = 0
    for place in range(at, min(at + most_bytes, len(view))):
        byte = view[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise IrregularMessageError


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
    """Encode a field's tag."""
    return write_varint(number << 3 | wire_type)
