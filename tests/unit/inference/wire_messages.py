"""Hypothesis strategies for serialised requests, regular and irregular."""

from hypothesis import strategies as st

from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import InferenceRequest


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, wire_type: int, body: bytes) -> bytes:
    return varint(number << 3 | wire_type) + body


def delimited(number: int, body: bytes) -> bytes:
    return field(number, 2, varint(len(body)) + body)


def joined(*fields: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Any number of the given fields, in any order, with repetitions."""
    return st.lists(st.one_of(*fields), max_size=6).map(b"".join)


def delimited_of(number: int, body: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return body.map(lambda content: delimited(number, content))


def varint_of(number: int, most: int = 2**64 - 1) -> st.SearchStrategy[bytes]:
    return st.integers(0, most).map(lambda value: field(number, 0, varint(value)))


unknown_fields = st.one_of(
    delimited_of(77, st.binary(max_size=8)),
    varint_of(78),
    st.binary(min_size=8, max_size=8).map(lambda body: field(79, 1, body)),
    st.binary(min_size=4, max_size=4).map(lambda body: field(80, 5, body)),
    st.binary(max_size=4).map(lambda body: field(81, 3, delimited(3, body)) + field(81, 4, b"")),
    varint_of(2),  # known numbers with another wire type
    varint_of(3),
)
text = st.text(max_size=5).map(str.encode)
tensors = joined(
    varint_of(1),
    delimited_of(1, st.lists(st.integers(0, 2**64 - 1).map(varint), max_size=4).map(b"".join)),
    varint_of(2, 2**31 - 1),
    delimited_of(3, st.binary(max_size=20)),
    delimited_of(3, st.binary(max_size=20)),
    delimited_of(4, joined(delimited_of(1, text), varint_of(2), varint_of(3))),
    unknown_fields,
)
boxes = delimited_of(1, joined(varint_of(1, 2**31 - 1), varint_of(6, 2**31 - 1), unknown_fields))
points = delimited_of(1, joined(varint_of(1, 2**31 - 1), varint_of(4, 5), unknown_fields))
inputs = joined(
    *(delimited_of(number, tensors) for number in (1, 2, 2, 3, 8, 9, 10)),
    delimited_of(4, boxes),
    delimited_of(5, points),
    delimited_of(6, text),
    delimited_of(7, joined(delimited_of(1, text), delimited_of(2, tensors), unknown_fields)),
    unknown_fields,
)
requests = joined(
    delimited_of(1, text),
    delimited_of(2, inputs),
    delimited_of(2, inputs),
    delimited_of(3, text),
    unknown_fields,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A request that was cut short or has some bytes changed."""
    content = bytearray(draw(requests))
    for _ in range(draw(st.integers(0, 3))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))])


def parsed(buffer: bytes) -> InferenceRequest:
    request = InferenceRequest()
    request.MergeFromString(buffer)
    return request
