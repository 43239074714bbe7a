"""Timings of the nodes of a run."""

import threading
from itertools import count

import pytest
import torch

from fleet_engine import NodeTimes, Pipeline, Stage, set_tile_threads
from fleet_engine.graph.execution import tiles as graph_tiles
from fleet_engine.graph.execution.tiles import Tiles
from tests.support.scenes.pipelines import INFERENCE, batch_of, fitted_rx

RAN = ["LentilsAnomalyDataNode", "MinMaxNormalizer", "RXGlobal", "ScoreToLogit", "BinaryDecider"]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return fitted_rx()


def ticking() -> NodeTimes:
    """Each call of the clock takes a second, so the seconds of a node are its executions."""
    seconds = count()
    return NodeTimes(clock=lambda: float(next(seconds)))


def test_each_executed_node_is_recorded_in_order(pipeline):
    times = ticking()
    pipeline.plan(Stage.INFERENCE).run(batch_of((1, 4, 5, 7)), INFERENCE, times)
    assert list(times.seconds) == RAN
    assert set(times.seconds.values()) == {1.0}


@pytest.fixture
def least_tiles(monkeypatch):
    """Tiles of the minimum size."""
    monkeypatch.setattr(graph_tiles, "TILE_SIZE_BYTES", {"cpu": 1})


@pytest.mark.usefixtures("least_tiles")
def test_tiles_of_a_node_are_summed(pipeline):
    times, batch = ticking(), batch_of((1, 40, 100, 7))
    pipeline.plan(Stage.INFERENCE).run(batch, INFERENCE, times)
    tiles = len(Tiles({"cube": batch["cube"]}, exact=False).spans())
    assert tiles > 1
    assert times.seconds == dict.fromkeys(RAN, float(tiles))


@pytest.mark.usefixtures("least_tiles")
def test_times_of_parallel_tiles_add_up(pipeline):
    own_time = threading.local()

    def clock():
        own_time.seconds = getattr(own_time, "seconds", 0.0) + 1.0
        return own_time.seconds

    times, batch = NodeTimes(clock=clock), batch_of((1, 40, 100, 7))
    set_tile_threads(2)
    try:
        pipeline.plan(Stage.INFERENCE).run(batch, INFERENCE, times)
    finally:
        set_tile_threads(1)
    tiles = len(Tiles({"cube": batch["cube"]}, exact=False).spans())
    assert times.seconds == dict.fromkeys(RAN, float(tiles))


def test_timed_and_untimed_runs_give_the_same(pipeline):
    batch = batch_of((1, 40, 50, 7))
    plan = pipeline.plan(Stage.INFERENCE)
    plain, timed = plan.run(batch, INFERENCE), plan.run(batch, INFERENCE, NodeTimes())
    assert plain.keys() == timed.keys()
    assert all(torch.equal(plain[key], timed[key]) for key in plain)


def test_the_device_is_waited_for_before_and_after_a_node():
    seen = []
    times = NodeTimes(lambda: seen.append("wait"), clock=lambda: float(len(seen)))
    with times.of("a"):
        seen.append("work")
    assert seen == ["wait", "work", "wait"]
    assert times.seconds == {"a": 2.0}


def test_a_node_that_fails_adds_nothing():
    times = ticking()
    with pytest.raises(ZeroDivisionError), times.of("a"):
        raise ZeroDivisionError
    assert times.seconds == {}


@pytest.mark.parametrize(
    ("device", "synchronized", "waits"),
    [("cpu", True, False), ("cuda", False, False), ("cuda", True, True)],
)
def test_only_a_cuda_device_is_waited_for_and_only_if_asked(
    monkeypatch, device, synchronized, waits
):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    with NodeTimes.on(torch.device(device), synchronized=synchronized).of("a"):
        pass
    assert bool(waited) is waits
