"""Whatever arrives at the gateway's port, it lives and the next caller is served.

FUZZ_EXAMPLES=10000 python -m pytest tests/e2e/test_raw_bytes.py --hypothesis-seed=1
"""

import json
import os
from contextlib import ExitStack

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_local.background import BackgroundStack
from tests.e2e.fuzz.memory import assert_given_back, resident_bytes
from tests.support.network import raw_peer
from tests.support.network.http2_frames import conversations, floods
from tests.support.polling import wait_until
from tests.support.wire import Wire

pytestmark = pytest.mark.e2e

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
FLOODS = floods("/cuvis_ai.v1.CuvisAIService/CreateSession")
TURNED_AWAY = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
REACHED = ("gateway", "session", "config")
IDLE = 500


@pytest.fixture(autouse=True)
def _nothing_dies(stack: BackgroundStack, calls: Wire):
    """Every process is the same as before, and those attacked hold no more memory."""
    calls.call("CloseSession", session_id=calls.session())
    calls.call("GetTrainingCapabilities")
    before, resident = _process_ids(stack), resident_bytes(stack)
    yield
    assert _process_ids(stack) == before
    assert_given_back(stack, {name: resident[name] for name in REACHED})


@pytest.mark.timeout(900 + EXAMPLES)
def test_garbage(stack: BackgroundStack, calls: Wire) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(conversations, st.booleans())
    def attack(sent: bytes, abruptly: bool) -> None:
        raw_peer.send(stack.address, sent, abruptly=abruptly)
        assert calls.call("GetTrainingCapabilities").supported_optimizers

    attack()


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("abruptly", [False, True], ids=["waits", "resets"])
def test_floods(stack: BackgroundStack, calls: Wire, name: str, abruptly: bool) -> None:
    raw_peer.send(stack.address, FLOODS[name], abruptly=abruptly)
    assert calls.call("GetTrainingCapabilities").supported_optimizers
    wait_until(lambda: _opens_and_closes(calls), "a session opens although the queue was flooded")


def test_connections_that_say_nothing(stack: BackgroundStack, calls: Wire) -> None:
    with ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(raw_peer.connection(stack.address))
        assert calls.call("GetTrainingCapabilities").supported_optimizers


def _opens_and_closes(calls: Wire) -> bool:
    """A server that is still full of the flood turns calls away; gRPC's own queue cancels them."""
    try:
        calls.call("CloseSession", session_id=calls.session())
    except grpc.RpcError as error:
        if error.code() not in TURNED_AWAY:
            raise
        return False
    return True


def _process_ids(stack: BackgroundStack) -> dict[str, int]:
    state = json.loads((stack.run_dir / "parts.json").read_text(encoding="utf-8"))
    return {name: part["pid"] for name, part in state.items()}
