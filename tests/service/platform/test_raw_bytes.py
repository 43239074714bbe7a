"""Whatever bytes arrive at the port, the next call succeeds.

FUZZ_EXAMPLES=10000 python -m pytest tests/service/platform/test_raw_bytes.py --hypothesis-seed=1
"""

import os
from functools import partial

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.network import raw_peer
from tests.support.network.http2_frames import conversations, floods
from tests.support.polling import wait_until

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
FLOODS = floods("/cuvis_ai.v1.CuvisAIService/CloseSession")
TURNED_AWAY = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)


@pytest.fixture
def served(serve):
    return serve(CloseSession=lambda _request, _call: pb.CloseSessionResponse(success=True))


@pytest.mark.timeout(900 + EXAMPLES)
def test_garbage_at_the_port(served) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(conversations, st.booleans())
    def attack(sent: bytes, abruptly: bool) -> None:
        raw_peer.send(served.running.address, sent, abruptly=abruptly)
        assert served.stub.CloseSession(pb.CloseSessionRequest(), timeout=120).success

    attack()


@pytest.mark.parametrize("abruptly", [False, True], ids=["waits", "resets"])
def test_floods(served, abruptly: bool) -> None:
    for name, flood in FLOODS.items():
        raw_peer.send(served.running.address, flood, abruptly=abruptly)
        wait_until(partial(_is_served, served), f"the next caller is served after {name}")


def _is_served(served) -> bool:
    """A server that is still busy with the flood rejects calls, or gRPC's queue cancels them."""
    try:
        return served.stub.CloseSession(pb.CloseSessionRequest(), timeout=120).success
    except grpc.RpcError as error:
        if error.code() not in TURNED_AWAY:
            raise
        return False
