"""Fields that no release of the wire has, as a client of a later one would send them."""

from hypothesis import strategies as st

from fleet_proto.wire import I32, I64, LEN, VARINT, tag, write_varint

_numbers = st.one_of(st.integers(1000, 18_999), st.integers(20_000, 2**29 - 1))
_varints = st.builds(
    lambda number, value: tag(number, VARINT) + write_varint(value),
    _numbers,
    st.integers(0, 2**64 - 1),
)
_fixed = st.builds(
    lambda number, content: tag(number, I64 if len(content) == 8 else I32) + content,
    _numbers,
    st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=8, max_size=8)),
)
_texts = st.builds(
    lambda number, content: tag(number, LEN) + write_varint(len(content)) + content,
    _numbers,
    st.binary(max_size=32),
)

unknown_fields = st.lists(st.one_of(_varints, _fixed, _texts), max_size=3).map(b"".join)
"""Serialised, to be appended to any message."""
