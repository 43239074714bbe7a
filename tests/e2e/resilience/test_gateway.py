"""A gateway that dies under load: calls fail promptly while it is away, no more."""

import os
import signal

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.killable_fleet import Fleet
from tests.support.polling import wait_until
from tests.support.processes.steady_load import SteadyLoad

pytestmark = pytest.mark.e2e

CLIENTS = 8
BACK_WITHIN_S = 120.0
PROMPTLY_S = 60.0


def test_calls_fail_promptly_until_another_gateway_runs(fleet: Fleet, calls, trained):
    before = {name: fleet.stack.part(name)["pid"] for name in ("gateway", "session", "trainer-1")}

    def call() -> None:
        calls.infer(trained.session_id, trained.cube, trained.wavelengths)

    with SteadyLoad(call, CLIENTS) as load:
        wait_until(lambda: len(load.seconds) > CLIENTS, "calls are answered")
        os.kill(before["gateway"], signal.SIGKILL)
        wait_until(lambda: load.failures, "the outage is told", PROMPTLY_S)
        fleet.wait_replaced("gateway", before["gateway"])
        answered = len(load.seconds)
        wait_until(lambda: len(load.seconds) > answered + CLIENTS, "calls are answered again")

    assert load.wrong == []
    codes = {failure.partition(":")[0] for failure in load.failures}
    assert codes == {grpc.StatusCode.UNAVAILABLE.name}
    for service in ("session", "config", "trainer", "inference"):
        wait_until(lambda name=service: fleet.stack.is_serving(name), service, BACK_WITHIN_S)
    assert fleet.stack.part("session")["pid"] == before["session"], "nothing else restarted"
    assert fleet.stack.part("trainer-1")["pid"] == before["trainer-1"]
    latest = calls.call("GetTrainStatus", session_id=trained.session_id).latest_progress
    assert latest.status == pb2.TRAIN_STATUS_COMPLETE
