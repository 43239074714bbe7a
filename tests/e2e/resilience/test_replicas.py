"""Inference replicas that die, or are replaced, while clients call: no call fails.

Replicas are killed for RESILIENCE_SECONDS; ``python -m bench.resilience`` tells latencies, too.
"""

import os

import numpy as np
import pytest

from tests.e2e.resilience.conftest import Trained
from tests.support.killable_fleet import INFERENCE, Fleet
from tests.support.processes.replica_killer import ReplicaKiller
from tests.support.processes.steady_load import SteadyLoad
from tests.support.wire import Wire, by_port, inference

pytestmark = pytest.mark.e2e

CLIENTS = 8
SECONDS = float(os.environ.get("RESILIENCE_SECONDS", "12"))
EVERY_S = 2.0
SIDES = {"100 kB": 29, "8 MB": 256}


def _call(calls: Wire, trained: Trained, side: int):
    """An inference of a cube of this size, whose answer must be the same every time."""
    tiles = -(-side // trained.cube.shape[1])
    cube = np.tile(trained.cube, (1, tiles, tiles, 1))[:, :side, :side]
    request = inference(trained.session_id, cube, trained.wavelengths)
    expected = by_port(calls.call("Inference", **request).outputs)

    def call() -> None:
        outputs = by_port(calls.call("Inference", **request).outputs)
        assert outputs.keys() == expected.keys()
        for port, array in expected.items():
            assert np.array_equal(outputs[port], array), port

    return call


@pytest.mark.parametrize("size", SIDES)
def test_no_call_fails_while_replicas_are_killed(fleet: Fleet, calls, trained, size):
    killer = ReplicaKiller(fleet.stack, "inference", INFERENCE)
    parts = {name: fleet.stack.part(name)["pid"] for name in INFERENCE}
    with SteadyLoad(_call(calls, trained, SIDES[size]), CLIENTS) as load:
        kills = killer.kill_every(EVERY_S, SECONDS)
    assert kills >= SECONDS / EVERY_S / 2, "replicas are back before their next turn"
    assert {name: fleet.stack.part(name)["pid"] for name in INFERENCE} == parts
    assert (load.failures, load.wrong) == ([], [])
    assert len(load.seconds) >= CLIENTS


def test_no_call_fails_while_all_replicas_are_replaced(fleet: Fleet, calls, trained):
    killer = ReplicaKiller(fleet.stack, "inference", INFERENCE)
    # Few clients leave the successors some of the machine to start on.
    with SteadyLoad(_call(calls, trained, SIDES["100 kB"]), clients=2) as load:
        killer.replace_all()
    assert (load.failures, load.wrong) == ([], [])
    assert len(load.seconds) > len(INFERENCE)
