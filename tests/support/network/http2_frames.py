"""HTTP/2 frames, valid and invalid, that clients of gRPC never send."""

import struct

from hypothesis import strategies as st

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, _PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 0x1, 0x4


def frame(
    kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0, length: int | None = None
) -> bytes:
    """Return a frame; `length` replaces its true length."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


NO_SETTINGS = frame(SETTINGS)
OPENING = PREFACE + NO_SETTINGS


def header_block(*fields: tuple[str, bytes]) -> bytes:
    """Return header fields as HPACK literals without indexing (RFC 7541, 6.2.2)."""
    return b"".join(b"\0" + _text(name.encode()) + _text(value) for name, value in fields)


def _text(content: bytes) -> bytes:
    if len(content) < 127:
        return bytes([len(content)]) + content
    rest, length = len(content) - 127, bytearray([127])
    while rest > 127:
        length.append(rest % 128 | 128)
        rest //= 128
    return bytes(length) + bytes([rest]) + content


def call_headers(path: str, *more: tuple[str, bytes]) -> bytes:
    """Return the headers that start a gRPC call."""
    return header_block(
        (":method", b"POST"),
        (":scheme", b"http"),
        (":path", path.encode()),
        (":authority", b"localhost"),
        ("te", b"trailers"),
        ("content-type", b"application/grpc"),
        *more,
    )


@st.composite
def _frames(draw: st.DrawFn) -> bytes:
    payload = draw(st.binary(max_size=40))
    length = draw(st.sampled_from((len(payload), 0, 1, 2**14, 2**24 - 1)))
    stream = draw(st.sampled_from((0, 1, 2, 3, 2**31 - 1, 2**32 - 1)))
    kind, flags = draw(st.integers(0, 12)), draw(st.integers(0, 255))
    return frame(kind, payload, flags=flags, stream=stream, length=length)


conversations = st.one_of(
    st.binary(max_size=200),
    st.just(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.just(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # a TLS handshake begins
    st.integers(0, len(PREFACE)).map(lambda length: PREFACE[:length]),
    st.lists(_frames(), max_size=6).map(lambda sent: OPENING + b"".join(sent)),
    st.lists(_frames(), max_size=6).map(lambda sent: PREFACE + b"".join(sent)),
)
"""Byte sequences that a peer may send instead of calls."""


def floods(path: str) -> dict[str, bytes]:
    """Conversations by name that are made to use up a server.

    Args:
        path: of a method that the server has.
    """
    opened = frame(HEADERS, call_headers(path), flags=END_HEADERS, stream=1)

    def started(number: int, *more: tuple[str, bytes], flags: int = END_HEADERS) -> bytes:
        return frame(HEADERS, call_headers(path, *more), flags=flags, stream=2 * number + 1)

    return {
        "streams that are reset at once": OPENING
        + b"".join(
            started(number) + frame(RST_STREAM, struct.pack(">I", 8), stream=2 * number + 1)
            for number in range(5000)
        ),
        "streams that never end": OPENING + b"".join(started(number) for number in range(3000)),
        "headers without end": OPENING
        + frame(HEADERS, call_headers(path), stream=1)
        + frame(CONTINUATION, header_block(("x", b"y" * 1000)) * 16, stream=1) * 200,
        "one header of 4 MiB": OPENING
        + frame(HEADERS, b"\0" + _text(b"x") + b"\x7f\x81\xff\xff\x01", stream=1)
        + frame(CONTINUATION, b"y" * 2**14, stream=1) * 256,
        "a table that grows": OPENING
        + frame(
            HEADERS, b"\x3f\xff\xff\xff\xff\x07" + call_headers(path), flags=END_HEADERS, stream=1
        ),
        "pings": OPENING + frame(PING, bytes(8)) * 20_000,
        "settings": OPENING + NO_SETTINGS * 20_000,
        "priorities": OPENING + frame(PRIORITY, struct.pack(">IB", 0, 1), stream=1) * 20_000,
        "windows of nothing": OPENING + opened + frame(WINDOW, bytes(4), stream=1) * 1000,
        "windows beyond the largest": OPENING
        + opened
        + frame(WINDOW, struct.pack(">I", 2**31 - 1), stream=1) * 3,
        "empty data": OPENING + opened + frame(DATA, stream=1) * 20_000,
        "a message of 4 GiB begins": OPENING
        + opened
        + frame(DATA, b"\0" + struct.pack(">I", 2**32 - 1) + b"x" * 1000, stream=1),
        "a message cut short": OPENING
        + opened
        + frame(DATA, b"\0" + struct.pack(">I", 100) + b"x", flags=END_STREAM, stream=1),
        "a message compressed by nothing": OPENING
        + opened
        + frame(DATA, b"\1" + struct.pack(">I", 4) + b"xxxx", flags=END_STREAM, stream=1),
        "a kind of message that is none": OPENING
        + opened
        + frame(DATA, b"\xff" + struct.pack(">I", 0), flags=END_STREAM, stream=1),
        "a time-out that is none": OPENING
        + started(0, ("grpc-timeout", b"99999999999999999999H"))
        + frame(DATA, bytes(5), flags=END_STREAM, stream=1),
        "headers of HTTP/1 without end": b"POST / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"x%d: %s\r\n" % (number, b"y" * 1000) for number in range(2000)),
        "a body in pieces without end": b"POST / HTTP/1.1\r\nHost: x\r\n"
        + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
        + b"x" * 2**16,
    }
