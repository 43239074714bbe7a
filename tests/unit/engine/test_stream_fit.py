"""Nodes that fit on a stream take part in the common pass, and end with it."""

import threading

import pytest
import torch

from fleet_engine import allow_node_packages, build_pipeline
from fleet_engine.training import fit_statistics
from fleet_platform.errors import Cancelled
from tests.support.scenes.pipelines import DATA, MIN_MAX, batch_of, config, fit, node
from tests.unit.engine.stream_mean import STREAM_MEAN


@pytest.fixture(autouse=True)
def third_party_class():
    allow_node_packages((STREAM_MEAN,))
    yield
    allow_node_packages(())


def chain(*streams):
    """Input -> min-max -> all stream nodes in parallel."""
    names = [name for name, _ in streams]
    return build_pipeline(
        config(
            [
                node("data", DATA, normal_class_ids=[0]),
                node("scale", MIN_MAX),
                *(node(name, STREAM_MEAN, **hparams) for name, hparams in streams),
                node("last", MIN_MAX),
            ],
            [
                ("data.cube", "scale.data"),
                *(("scale.normalized", f"{name}.data") for name in names),
                (f"{names[0]}.centred", "last.data"),
            ],
        )
    )


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name == "stream-fit"]


BATCHES = [batch_of((2, 30, 40, 7), seed=seed) for seed in range(3)]


def test_a_node_with_only_the_published_fit_is_fitted_in_order():
    pipeline = fit(chain(("mean", {})), *BATCHES)
    scaled = torch.cat([batch["cube"] for batch in BATCHES]).float() / 4095
    assert pipeline.nodes["mean"].fitted
    torch.testing.assert_close(pipeline.nodes["mean"].mean, scaled.mean(), rtol=1e-3, atol=0)
    assert pipeline.nodes["last"].running_max < 1.0
    assert threads() == []


def test_several_nodes_use_the_same_pass():
    passes = []

    def batches():
        passes.append(1)
        return iter(BATCHES)

    pipeline = chain(("a", {}), ("b", {}), ("c", {"enough": 1}))
    fit_statistics(pipeline, batches, lambda _: None, lambda: False)
    means = [pipeline.nodes[name].mean for name in "abc"]
    assert len(passes) == 3
    assert torch.equal(means[0], means[1])
    assert not torch.equal(means[0], means[2])
    assert threads() == []


def test_its_statistics_can_be_trained_afterwards():
    one = fit(chain(("mean", {})), *BATCHES).nodes["mean"]
    assert not one.mean.is_inference()
    one.unfreeze()
    one(data=torch.ones(1, 2, 2, 7))["centred"].square().sum().backward()
    assert one.mean.grad is not None


@pytest.mark.parametrize("batch", range(len(BATCHES)))
def test_its_failure_ends_the_fit_and_all_threads(batch):
    pipeline = chain(("good", {}), ("bad", {"fails_at": batch}))
    with pytest.raises(RuntimeError, match="no more"):
        fit(pipeline, *BATCHES)
    assert threads() == []
    assert not pipeline.nodes["good"].fitted


def test_a_fit_that_fails_at_the_end_of_its_stream_is_reported():
    with pytest.raises(ValueError, match="non-empty list"):
        fit(chain(("empty", {"enough": 0})), *BATCHES)
    assert threads() == []


def test_a_stop_ends_its_thread():
    passes = []
    pipeline = chain(("mean", {}))
    with pytest.raises(Cancelled, match="mean"):
        fit_statistics(
            pipeline,
            lambda: passes.append(1) or iter(BATCHES),
            lambda _: None,
            should_stop=lambda: len(passes) == 2,
        )
    assert threads() == []
    assert torch.isnan(pipeline.nodes["mean"].mean)


def test_the_data_source_is_closed_when_a_fit_fails():
    closed = []

    def batches():
        try:
            yield from BATCHES
        finally:
            closed.append(1)

    with pytest.raises(RuntimeError, match="no more") as caught:
        fit_statistics(chain(("bad", {"fails_at": 0})), batches, lambda _: None, lambda: False)
    assert caught.value.__traceback__ is not None
    assert closed == [1, 1]
