"""Statistical fitting: order, passes, events, refusals."""

import pytest
import torch

from fleet_engine import NotFitted, Pipeline, build_pipeline
from fleet_engine.training import FitEvent, fit_statistics, unfitted_nodes
from fleet_engine.weights import fitted_nodes, state_of
from fleet_platform.errors import Cancelled, InvalidInput
from tests.support.scenes.pipelines import (
    DATA,
    MIN_MAX,
    RX,
    batch_of,
    config,
    fit,
    infer,
    node,
    rx_config,
)


def snapshot(pipeline: Pipeline):
    return {
        f"{name}.{key}": value.clone()
        for name, values in state_of(pipeline).items()
        for key, value in values.items()
    }


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def test_events_of_a_chain_in_order():
    events = []
    pipeline = build_pipeline(rx_config())
    fit(pipeline, batch_of((2, 6, 6, 7)), batch_of((1, 6, 6, 7), seed=1), events=events)
    names = ["MinMaxNormalizer", "RXGlobal", "ScoreToLogit"]
    totals = dict.fromkeys(names, 3) | {"MinMaxNormalizer": 0}
    expected = []
    for name in names:
        expected += [
            FitEvent("start", name, 0, totals[name]),
            FitEvent("progress", name, 2, totals[name]),
            FitEvent("progress", name, 3, totals[name]),
            FitEvent("end", name, 3, 3),
        ]
    assert events == expected
    assert fitted_nodes(pipeline) == tuple(names)


def test_a_given_total_is_reported_from_the_start():
    events = []
    fit_statistics(
        build_pipeline(rx_config()),
        lambda: iter([batch_of((2, 6, 6, 7))]),
        events.append,
        lambda: False,
        total=2,
    )
    assert {event.total for event in events} == {2}


def test_independent_nodes_share_a_pass():
    """Two parallel normalisers and an RX after one of them need two passes, not three."""
    pipeline = build_pipeline(
        config(
            [
                node("data", DATA, normal_class_ids=[0]),
                node("left", MIN_MAX),
                node("right", MIN_MAX),
                node("rx", RX, num_channels=7),
            ],
            [
                ("data.cube", "left.data"),
                ("data.cube", "right.data"),
                ("left.normalized", "rx.data"),
            ],
        )
    )
    passes = []

    def batches():
        passes.append(1)
        return iter([batch_of((1, 8, 8, 7))])

    fit_statistics(pipeline, batches, lambda _: None, lambda: False)
    assert len(passes) == 2
    assert fitted_nodes(pipeline) == ("left", "right", "rx")


def test_splitting_the_data_changes_nothing_but_rounding():
    whole = batch_of((4, 20, 20, 7))
    parts = [{key: value[index : index + 1] for key, value in whole.items()} for index in range(4)]
    together = snapshot(fit(build_pipeline(rx_config()), whole))
    apart = snapshot(fit(build_pipeline(rx_config()), *parts))
    for key, value in together.items():
        torch.testing.assert_close(value, apart[key], rtol=1e-5, atol=1e-6)


def test_the_same_data_gives_the_same_bits():
    first, second = (
        snapshot(fit(build_pipeline(rx_config()), batch_of((2, 90, 70, 7)))) for _ in range(2)
    )
    assert_equal(first, second)


def test_a_refit_forgets_the_first_fit():
    fresh = snapshot(fit(build_pipeline(rx_config()), batch_of((1, 9, 9, 7), seed=2)))
    pipeline = fit(build_pipeline(rx_config()), batch_of((1, 9, 9, 7), seed=1))
    assert_equal(snapshot(fit(pipeline, batch_of((1, 9, 9, 7), seed=2))), fresh)


def test_a_refit_of_unfrozen_nodes():
    fresh = snapshot(fit(build_pipeline(rx_config()), batch_of((1, 9, 9, 7))))
    pipeline = build_pipeline(rx_config())
    for one in pipeline.nodes.values():
        one.unfreeze()
    fit(pipeline, batch_of((1, 9, 9, 7)))
    assert_equal(snapshot(pipeline), fresh)
    assert pipeline.nodes["RXGlobal"].mu.requires_grad


def test_accumulators_are_not_state():
    keys = set(snapshot(fit(build_pipeline(rx_config()), batch_of((1, 9, 9, 7)))))
    assert keys == {
        "MinMaxNormalizer.running_min",
        "MinMaxNormalizer.running_max",
        "RXGlobal.mu",
        "RXGlobal.cov",
        "RXGlobal.cov_inv",
        "ScoreToLogit.scale",
        "ScoreToLogit.bias",
    }


def test_nodes_without_statistics_are_not_fitted():
    pipeline = build_pipeline(
        config(
            [node("data", DATA, normal_class_ids=[0]), node("n", MIN_MAX, use_running_stats=False)],
            [("data.cube", "n.data")],
        )
    )
    events = []
    fit(pipeline, batch_of((1, 4, 4, 7)), events=events)
    assert events == []
    assert set(infer(pipeline, batch_of((1, 4, 4, 7)), "normalized")) == {"n.normalized"}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_values_are_refused_naming_node_and_batch(bad):
    spoilt = batch_of((1, 6, 6, 7))
    spoilt["cube"] = spoilt["cube"].to(torch.float32)
    spoilt["cube"][0, 3, 3, 2] = bad
    with pytest.raises(InvalidInput, match=r"MinMaxNormalizer, batch 1: .*NaN or infinite"):
        fit(build_pipeline(rx_config()), batch_of((1, 6, 6, 7)), spoilt)


def test_a_batch_with_measurement_numbers_is_named_by_them():
    spoilt = batch_of((2, 6, 6, 7)) | {"mesu_index": torch.tensor([7, 3])}
    spoilt["cube"] = spoilt["cube"].to(torch.float32)
    spoilt["cube"][0, 3, 3, 2] = float("nan")
    with pytest.raises(InvalidInput, match=r"MinMaxNormalizer, measurement 7, 3: .*NaN or infinit"):
        fit(build_pipeline(rx_config()), spoilt)


def test_rx_itself_refuses_values_that_are_not_finite():
    pipeline = build_pipeline(config([node("rx", RX, num_channels=2)]))
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        pipeline.nodes["rx"].statistical_initialization(
            [{"data": torch.tensor([[[[1.0, float("nan")], [0.0, 2.0]]]])}]
        )


def test_a_batch_that_does_not_match_is_named():
    with pytest.raises(InvalidInput, match=r"batch 0: .*RXGlobal.*5 channels.*7 channels"):
        fit(build_pipeline(rx_config()), batch_of((1, 6, 6, 5)))


@pytest.mark.parametrize("batches", [(), (batch_of((1, 1, 1, 7)),)])
def test_too_few_pixels(batches):
    with pytest.raises(InvalidInput, match="pixel"):
        fit(build_pipeline(rx_config()), *batches)


def test_stopping_keeps_the_statistics_of_earlier_stages():
    pipeline = build_pipeline(rx_config())
    ended = []

    def on_event(event):
        if event.kind == "end":
            ended.append(event.node)

    with pytest.raises(Cancelled, match="RXGlobal"):
        fit_statistics(
            pipeline,
            lambda: iter([batch_of((1, 6, 6, 7))]),
            on_event,
            should_stop=lambda: bool(ended),
        )
    assert fitted_nodes(pipeline) == ("MinMaxNormalizer",)


def test_a_node_can_be_fitted_on_a_separate_stream():
    pipeline = build_pipeline(config([node("n", MIN_MAX)]))
    stream = ({"data": torch.full((1, 2, 2, 3), value)} for value in (4.0, -1.0, 9.0))
    pipeline.nodes["n"].statistical_initialization(stream)
    assert snapshot(pipeline) == {"n.running_min": -1.0, "n.running_max": 9.0}
    assert fitted_nodes(pipeline) == ("n",)


def test_fitting_can_be_limited_to_nodes_without_statistics():
    """A pipeline whose loaded weights lack those of the last node."""
    pipeline = build_pipeline(rx_config())
    data = batch_of((1, 9, 9, 7), seed=1)
    assert unfitted_nodes(pipeline) == ("MinMaxNormalizer", "RXGlobal", "ScoreToLogit")
    fit(pipeline, data)
    pipeline.nodes["ScoreToLogit"].fitted = False
    before = snapshot(pipeline)
    events = []
    other = batch_of((1, 9, 9, 7), seed=2)
    fit_statistics(
        pipeline,
        lambda: iter([other]),
        events.append,
        should_stop=lambda: False,
        only=unfitted_nodes(pipeline),
    )
    after = snapshot(pipeline)
    assert {event.node for event in events} == {"ScoreToLogit"}
    assert [key for key in before if not torch.equal(before[key], after[key])] == [
        "ScoreToLogit.bias"
    ]
    assert unfitted_nodes(pipeline) == ()


def test_a_node_after_an_unfitted_one_cannot_be_fitted():
    with pytest.raises(NotFitted, match="MinMaxNormalizer"):
        fit_statistics(
            build_pipeline(rx_config()),
            lambda: iter([batch_of((1, 9, 9, 7))]),
            on_event=lambda _: None,
            should_stop=lambda: False,
            only=["RXGlobal"],
        )
