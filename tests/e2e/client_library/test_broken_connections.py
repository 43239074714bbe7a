"""The gateway and a replica are killed without an effect on the client."""

import os
import signal

import numpy as np
import pytest

from tests.e2e.client_library.conftest import OVERRIDES
from tests.e2e.client_library.styles import followed
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

CALLS = 200
_FRAMES, _PASSES = 7, 4000
_BACK_WITHIN_S = 300.0


@pytest.fixture
def kill(stack):
    """``kill(part)``: kill a process of the stack, which the stack restarts."""

    def killing(part):
        wait_until(stack.is_serving, "the stack serves", _BACK_WITHIN_S)
        os.kill(stack.part(part)["pid"], signal.SIGKILL)

    return killing


def test_calls_and_a_training_survive_gateway_and_replica(in_session, scene, kill):
    in_session(lambda session: _run(session, in_session, scene, kill))


def _run(session, in_session, scene, kill):
    session.call("apply", session.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES))
    session.follow("statistical", lambda _: None)
    cube = (scene.cubes[5], scene.wavelengths_nm, ["scores"])
    expected = session.call("infer", *cube)["scores"]

    def kill_while_calling():
        for number in range(CALLS):
            if number == CALLS // 4:
                kill("inference-1")
            if number == CALLS // 2:
                kill("gateway")
            np.testing.assert_allclose(
                session.call("infer", *cube)["scores"], expected, rtol=1e-5, atol=1e-6
            )

    received = in_session(lambda training: _followed(training, kill_while_calling))
    progress = [text for text in received.texts if text.startswith("Fitting")]
    assert len(progress) > 5
    assert len(progress) == len(set(progress)), "each message once"
    assert [m.status for m in received.messages if m.status != "running"] == ["cancelled"]


def _followed(session, meanwhile):
    """Return the messages of a long training, which is stopped after `meanwhile`."""
    trainrun = dict(session.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES).data)
    trainrun["data"]["train_ids"] = list(range(_FRAMES)) * _PASSES
    session.call("apply", trainrun)
    with followed(session, _BACK_WITHIN_S) as received:
        wait_until(lambda: len(received.messages) > 3, "the training runs", _BACK_WITHIN_S)
        meanwhile()
        before = len(received.messages)
        wait_until(lambda: len(received.messages) > before, "a new message", _BACK_WITHIN_S)
        session.call("stop")
    return received
