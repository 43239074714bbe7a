"""Tiling does not change results: each pixel is independent of others to the bit."""

import threading

import pytest
import torch

from fleet_engine import Stage, build_pipeline, set_tile_threads
from fleet_engine.graph.execution import segment, tile_threads, tiles
from fleet_platform.errors import Exhausted
from tests.support.scenes.pipelines import INFERENCE, batch_of, config, fitted_rx, infer, node

CHANNELS = 61


@pytest.fixture(scope="module", params=[True, False], ids=["inverse", "solve"])
def rx(request):
    return fitted_rx(CHANNELS, cache_inverse=request.param)


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 256 pixels, the minimum."""
    monkeypatch.setattr(tiles, "TILE_SIZE_BYTES", {"cpu": 1})


@pytest.fixture(params=[2, 5], ids=["2 threads", "5 threads"])
def threads(request):
    set_tile_threads(request.param)
    yield request.param
    set_tile_threads(1)


@pytest.mark.parametrize("exact", [True, False])
def test_tiles_cover_each_pixel(small_tiles, exact):
    for pixels in (1, 255, 256, 257, 300, 511, 512, 1000):
        cut = tiles.Tiles({"x": torch.arange(pixels).reshape(1, 1, -1)}, exact=exact)
        parts = [cut.cut(start, length)["x"].flatten() for start, length in cut.spans()]
        seen = torch.cat(parts)
        assert set(seen.tolist()) == set(range(pixels))
        if exact:
            assert len(seen) == pixels
        else:
            assert {len(part) for part in parts} == {256}


def wide_pipeline(**hparams):
    path = "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection"
    return build_pipeline(config([node("wide", path, in_channels=1, **hparams)]))


def test_tiles_are_small_if_a_node_computes_many_values_per_pixel(monkeypatch):
    """If it depended only on the input channels, a cube of 160 kB would need 10 GB."""
    lengths = set()

    class Watched(tiles.Tiles):
        def run(self, *args, **options):
            lengths.update(length for _, length in self.spans())
            return super().run(*args, **options)

    monkeypatch.setattr(segment, "Tiles", Watched)
    infer(wide_pipeline(hidden=2, rep_dim=4096), {"data": torch.zeros(1, 40, 25, 1)})
    assert lengths == {256}


def test_results_beyond_the_limit_are_refused_before_allocation(monkeypatch):
    monkeypatch.setattr(tiles, "MAX_RESULT_BYTES", 1000 * 4096 * 4)
    pipeline = wide_pipeline(hidden=2, rep_dim=4096)
    outputs = infer(pipeline, {"data": torch.zeros(1, 40, 25, 1)})
    assert outputs["wide.embeddings"].shape == (1, 40, 25, 4096)
    with pytest.raises(Exhausted, match="1001 pixels need 16400384 bytes; at most 16384000"):
        infer(pipeline, {"data": torch.zeros(1, 7, 143, 1)})


def test_threads_change_nothing(rx, small_tiles, threads):
    batch = batch_of((2, 60, 60, CHANNELS), labelled=True)
    shared = infer(rx, batch)
    set_tile_threads(1)
    alone = infer(rx, batch)
    for key, value in shared.items():
        assert torch.equal(value, alone[key]), key


def test_busy_threads_are_not_waited_for(threads):
    """The caller does all the work while another run uses the other threads."""
    release = threading.Event()
    for _ in range(threads - 1):
        tile_threads._pool.submit(release.wait, 30)
    supply, done = iter(range(10)), []
    try:
        tile_threads.run_on_pool(lambda: done.extend(supply), 10)
        assert done == list(range(10))
        assert not release.is_set()
    finally:
        release.set()


def test_the_work_is_shared(threads):
    """All threads work at the same time; otherwise the barrier breaks."""
    meeting = threading.Barrier(threads, timeout=300)
    tile_threads.run_on_pool(meeting.wait, 10)
    assert not meeting.broken


def test_an_error_in_a_helper_reaches_the_caller(threads):
    caller, failed = threading.get_ident(), threading.Event()

    def work():
        if threading.get_ident() == caller:
            assert failed.wait(timeout=300)
        else:
            failed.set()
            raise RuntimeError("helper")

    with pytest.raises(RuntimeError, match="helper"):
        tile_threads.run_on_pool(work, 2)


def test_many_tiles_equal_one(rx, small_tiles, monkeypatch):
    batch = batch_of((2, 37, 23, CHANNELS), labelled=True)
    tiled = infer(rx, batch)
    monkeypatch.setattr(tiles, "TILE_SIZE_BYTES", {"cpu": 1 << 30})
    untiled = infer(rx, batch)
    assert tiled.keys() == untiled.keys()
    for key, value in tiled.items():
        assert value.shape == untiled[key].shape
        assert torch.equal(value, untiled[key]), key


@pytest.mark.parametrize("height", [1, 2, 5, 9, 64, 150])
def test_a_pixel_does_not_depend_on_other_pixels(rx, height):
    """The result of a crop of any size is the crop of the result."""
    scene = batch_of((1, 150, 160, CHANNELS))
    expected = infer(rx, scene, "scores", "decisions")
    for width in (1, 3, 160):
        crop = {**scene, "cube": scene["cube"][:, :height, :width]}
        outputs = infer(rx, crop, "scores", "decisions")
        for key, value in outputs.items():
            assert torch.equal(value, expected[key][:, :height, :width]), (key, height, width)


def test_batching_changes_nothing(rx):
    scenes = batch_of((3, 40, 50, CHANNELS))
    together = infer(rx, scenes, "scores")["RXGlobal.scores"]
    for index in range(3):
        alone = infer(rx, {**scenes, "cube": scenes["cube"][index : index + 1]}, "scores")
        assert torch.equal(alone["RXGlobal.scores"][0], together[index])


def test_results_do_not_depend_on_what_is_requested(rx):
    batch = batch_of((1, 130, 70, CHANNELS))
    everything = infer(rx, batch)
    for key, value in everything.items():
        assert torch.equal(infer(rx, batch, key)[key], value)


def test_a_cube_that_is_not_contiguous(rx):
    batch = batch_of((1, 40, 30, CHANNELS))
    turned = {**batch, "cube": batch["cube"].transpose(1, 2)}
    scores = infer(rx, batch, "scores")["RXGlobal.scores"]
    assert torch.equal(infer(rx, turned, "scores")["RXGlobal.scores"], scores.transpose(1, 2))


def test_one_plan_serves_many_threads(rx):
    plan = rx.plan(Stage.INFERENCE, frozenset({"scores"}))
    batches = [batch_of((1, 30, 40, CHANNELS), seed=seed) for seed in range(4)]
    expected = [plan.run(batch, INFERENCE)["RXGlobal.scores"] for batch in batches]
    equal = [False] * len(batches)

    def check(index):
        again = [plan.run(batches[index], INFERENCE)["RXGlobal.scores"] for _ in range(5)]
        equal[index] = all(torch.equal(one, expected[index]) for one in again)

    threads = [threading.Thread(target=check, args=(index,)) for index in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(equal)
