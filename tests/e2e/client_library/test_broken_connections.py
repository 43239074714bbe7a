"""The gateway and a replica die under a client, who notices nothing."""

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
_BACK_WITHIN_S = 90.0


@pytest.fixture
def kill(stack):
    """``kill(part)``: without a warning; the stack starts it again."""

    def killing(part):
        wait_until(stack.is_serving, "the stack serves", _BACK_WITHIN_S)
        os.kill(stack.part(part)["pid"], signal.SIGKILL)

    return killing


def test_calls_and_a_training_outlive_gateway_and_replica(in_session, scene, kill):
    in_session(lambda steps: _hold(steps, in_session, scene, kill))


def _hold(steps, in_session, scene, kill):
    steps.call("apply", steps.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES))
    steps.follow("statistical", lambda _: None)
    cube = (scene.cubes[5], scene.wavelengths_nm, ["scores"])
    expected = steps.call("infer", *cube)["scores"]

    def kill_while_calling():
        for number in range(CALLS):
            if number == CALLS // 4:
                kill("inference-1")
            if number == CALLS // 2:
                kill("gateway")
            np.testing.assert_allclose(
                steps.call("infer", *cube)["scores"], expected, rtol=1e-5, atol=1e-6
            )

    told = in_session(lambda training: _followed(training, kill_while_calling))
    progress = [text for text in told.texts if text.startswith("Fitting")]
    assert len(progress) > 5
    assert len(progress) == len(set(progress)), "each message once"
    assert [m.status for m in told.messages if m.status != "running"] == ["cancelled"]


def _followed(steps, meanwhile):
    """What a long training tells while something is done; it is stopped after that."""
    trainrun = dict(steps.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES).data)
    trainrun["data"]["train_ids"] = list(range(_FRAMES)) * _PASSES
    steps.call("apply", trainrun)
    with followed(steps, _BACK_WITHIN_S) as told:
        wait_until(lambda: len(told.messages) > 3, "the training runs", _BACK_WITHIN_S)
        meanwhile()
        before = len(told.messages)
        wait_until(lambda: len(told.messages) > before, "news comes", _BACK_WITHIN_S)
        steps.call("stop")
    return told
