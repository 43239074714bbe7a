"""Whatever arrives at the port, the next caller is served.

FUZZ_EXAMPLES=10000 python -m pytest tests/service/platform/test_raw_bytes.py --hypothesis-seed=1
"""

import os
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
_ANSWER_S = 0.02


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One HTTP/2 frame whose length may lie."""
    payload = draw(st.binary(max_size=40))
    length = draw(st.sampled_from((len(payload), 0, 1, 2**14, 2**24 - 1)))
    kind = draw(st.integers(0, 12))
    stream = draw(st.sampled_from((0, 1, 2, 3, 2**31 - 1, 2**32 - 1)))
    header = struct.pack(">I", length)[1:] + bytes([kind, draw(st.integers(0, 255))])
    return header + struct.pack(">I", stream) + payload


conversations = st.one_of(
    st.binary(max_size=200),
    st.just(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.just(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # a TLS handshake begins
    st.integers(0, len(PREFACE)).map(lambda length: PREFACE[:length]),
    st.lists(frames(), max_size=6).map(lambda sent: PREFACE + NO_SETTINGS + b"".join(sent)),
    st.lists(frames(), max_size=6).map(lambda sent: PREFACE + b"".join(sent)),
)


@pytest.mark.timeout(60 + EXAMPLES)
def test_garbage_at_the_port(serve) -> None:
    served = serve(CloseSession=lambda _request, _call: pb.CloseSessionResponse(success=True))
    host, _, port = served.running.address.rpartition(":")

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(conversations, st.booleans())
    def attack(sent: bytes, abruptly: bool) -> None:
        with socket.create_connection((host, int(port)), timeout=5) as peer:
            if abruptly:  # a reset in place of an orderly end
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.sendall(sent)
            if not abruptly:
                peer.settimeout(_ANSWER_S)
                _read(peer)
        assert served.stub.CloseSession(pb.CloseSessionRequest(), timeout=10).success

    attack()


def _read(peer: socket.socket) -> None:
    """Let the server get as far as answering."""
    try:
        while peer.recv(4096):
            pass
    except (TimeoutError, ConnectionError):
        return
