"""A gateway that dies takes nothing with it."""

import os
import signal

import pytest

from fleet_local.background import BackgroundStack
from tests.e2e.wire import wire
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

BACK_WITHIN_S = 10.0


def test_sessions_and_health_outlive_a_killed_gateway(start_stack):
    with start_stack() as stack, wire(stack.address) as calls:
        session_id = calls.session()
        before = stack.part("gateway")["pid"]

        os.kill(before, signal.SIGKILL)

        wait_until(lambda: _replaced(stack, before), "another gateway runs", BACK_WITHIN_S)
        for service in ("", "session", "config", "trainer", "inference"):
            wait_until(lambda name=service: stack.is_serving(name), service, BACK_WITHIN_S)
        assert calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", [])


def _replaced(stack: BackgroundStack, before: int) -> bool:
    return stack.part("gateway")["pid"] not in {0, before}
