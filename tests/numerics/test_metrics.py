"""Each metric against its formula in float64 numpy, by batch and pooled over batches."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_engine import Context, Stage, build_pipeline
from fleet_engine.nodes.metrics.score_bins import BINS, bins_of, edges_of
from fleet_platform.errors import InvalidInput
from tests.support.scenes.pipelines import config, node

METRICS = "cuvis_ai.node.metrics."
CONTEXT = Context(Stage.VAL, epoch=2, batch_idx=3)
SCORES = st.floats(-1e6, 1e6, width=32)
BIN_WIDTH = 1 / 512


def made(class_name, **hparams):
    return build_pipeline(config([node("n", METRICS + class_name, **hparams)])).nodes["n"]


def values_of(metric_node, **inputs):
    given_inputs = {port: torch.as_tensor(value) for port, value in inputs.items()}
    metrics = metric_node(**given_inputs, context=CONTEXT)["metrics"]
    assert {(m.stage, m.epoch, m.batch_idx) for m in metrics} <= {(Stage.VAL, 2, 3)}
    return {metric.name: metric.value for metric in metrics}


def added(*pools):
    """Return the sum of the pools of several processes."""
    return {name: sum(pool[name] for pool in pools) for name in pools[0]}


def ratio(part, whole):
    return part / whole if whole else 0.0


def agreement(found, true):
    both = np.count_nonzero(found & true)
    precision, recall = ratio(both, np.count_nonzero(found)), ratio(both, np.count_nonzero(true))
    f1 = ratio(2 * precision * recall, precision + recall)
    return precision, recall, f1, ratio(both, np.count_nonzero(found | true))


def average_precision(scores, targets):
    total, before = 0.0, 0
    for threshold in np.unique(scores)[::-1]:
        found = np.count_nonzero(targets[scores >= threshold])
        total += found / np.count_nonzero(scores >= threshold) * (found - before)
        before = found
    return ratio(total, np.count_nonzero(targets))


@st.composite
def detections(draw):
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 4)), 1)
    flags = hnp.arrays(bool, shape)
    scores = hnp.arrays(np.float32, shape, elements=st.integers(-40, 40).map(lambda i: i / 8))
    return {"decisions": draw(flags), "targets": draw(flags), "logits": draw(scores)}


def expected_of(batches):
    flat = {port: np.concatenate([batch[port].ravel() for batch in batches]) for port in batches[0]}
    images = {
        port: np.concatenate([batch[port].any(axis=(1, 2, 3)) for batch in batches])
        for port in ("decisions", "targets")
    }
    pixel = agreement(flat["decisions"], flat["targets"])
    image = agreement(images["decisions"], images["targets"])[:3]
    return {
        **dict(zip(("precision", "recall", "f1_score", "iou"), pixel, strict=True)),
        **dict(zip(("image_precision", "image_recall", "image_f1"), image, strict=True)),
        "average_precision": average_precision(flat["logits"], flat["targets"]),
    }


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(detections(), min_size=1, max_size=4))
def test_detection_metrics_by_batch_and_pooled(batches):
    metric_node = made("AnomalyDetectionMetrics")
    for batch in batches:
        assert values_of(metric_node, **batch) == pytest.approx(expected_of([batch]))
    assert metric_node.pooled() == pytest.approx(expected_of(batches))


def test_detection_metrics_of_two_processes_add_up():
    rng = np.random.default_rng(0)
    halves = [
        {
            "decisions": rng.random((2, 5, 5, 1)) > 0.5,
            "targets": rng.random((2, 5, 5, 1)) > 0.7,
            "logits": rng.integers(-9, 9, (2, 5, 5, 1)).astype(np.float32),
        }
        for _ in range(2)
    ]
    nodes = [made("AnomalyDetectionMetrics") for _ in halves]
    for metric_node, half in zip(nodes, halves, strict=True):
        values_of(metric_node, **half)
    together = nodes[0].values(added(*(metric_node.pool for metric_node in nodes)))
    assert together == pytest.approx(expected_of(halves))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_pooled_average_precision_is_close_whatever_the_scale(scale):
    rng = np.random.default_rng(1)
    targets = rng.random((1, 100, 100, 1)) > 0.9
    logits = ((rng.normal(size=targets.shape) + 1.5 * targets) * scale).astype(np.float32)
    metric_node = made("AnomalyDetectionMetrics")
    exact = values_of(metric_node, targets=targets, logits=logits)["average_precision"]
    assert exact == pytest.approx(average_precision(logits.ravel(), targets.ravel()))
    assert metric_node.pooled()["average_precision"] == pytest.approx(exact, abs=5e-4)


def test_only_average_precision_uses_every_nth_pixel():
    targets = np.array([1, 0, 0, 1, 1, 1], bool).reshape(1, 2, 3, 1)
    logits = np.array([3, 9, 2, 9, 1, 9], np.float32).reshape(1, 2, 3, 1)
    metric_node = made("AnomalyDetectionMetrics", pixel_stride=2)
    got = values_of(metric_node, targets=targets, logits=logits)
    assert got == {"average_precision": pytest.approx((1 + 2 / 3) / 2)}
    assert metric_node.pooled() == got


def test_detection_metrics_start_again_after_reset():
    metric_node = made("AnomalyDetectionMetrics")
    yes, no = np.ones((1, 1, 2, 1), bool), np.zeros((1, 1, 2, 1), bool)
    values_of(metric_node, decisions=no, targets=yes)
    metric_node.reset()
    assert metric_node.pooled() == {}
    values_of(metric_node, decisions=yes, targets=yes)
    assert metric_node.pooled()["recall"] == 1.0


@pytest.mark.parametrize("port", ["decisions", "logits"])
def test_detection_metrics_refuse_shapes_that_would_need_broadcasting(port):
    wrong = np.zeros((1, 2, 1, 1), bool if port == "decisions" else np.float32)
    with pytest.raises(InvalidInput, match=f"input '{port}'"):
        values_of(
            made("AnomalyDetectionMetrics"), targets=np.zeros((1, 2, 2, 1), bool), **{port: wrong}
        )


def statistics(scores):
    wide = np.sort(scores.astype(np.float64).ravel())
    return {
        "scores/mean": wide.mean(),
        "scores/std": wide.std(ddof=1) if wide.size > 1 else 0.0,
        "scores/min": wide[0],
        "scores/max": wide[-1],
        "scores/median": wide[(wide.size - 1) // 2],
        **{f"scores/q{q}": np.quantile(wide, q / 100) for q in (25, 75, 95, 99)},
    }


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(
        hnp.arrays(np.float32, st.tuples(*[st.integers(1, 3)] * 3), elements=SCORES),
        min_size=1,
        max_size=3,
    )
)
def test_score_statistics(batches):
    metric_node = made("ScoreStatisticsMetric")
    for batch in batches:
        expected = statistics(batch)
        size = float(abs(batch).max())
        assert values_of(metric_node, scores=batch) == pytest.approx(expected, abs=1e-9 * size)
    everything = np.concatenate([batch.ravel() for batch in batches])
    expected, got = statistics(everything), metric_node.pooled()
    size = float(abs(everything).max())
    for name in ("scores/mean", "scores/std"):
        assert got.pop(name) == pytest.approx(expected.pop(name), rel=1e-9, abs=1e-9 * size)
    assert got == pytest.approx(expected, rel=BIN_WIDTH, abs=BIN_WIDTH * size)


def test_score_statistics_survive_a_large_offset():
    scores = (1e4 + np.random.default_rng(5).normal(0, 0.1, (2, 30, 30))).astype(np.float32)
    metric_node = made("ScoreStatisticsMetric")
    for half in scores:
        values_of(metric_node, scores=half[None, ..., None])
    deviation = scores.astype(np.float64).std(ddof=1)
    assert metric_node.pooled()["scores/std"] == pytest.approx(deviation, rel=1e-9)


@pytest.mark.parametrize(
    "scores",
    [np.zeros((1, 2, 2, 3), np.float32), np.zeros((2, 2), np.float32), np.zeros((1, 2, 2))],
)
def test_score_statistics_refuse_other_values_than_score_maps(scores):
    with pytest.raises(InvalidInput, match="input 'scores'"):
        values_of(made("ScoreStatisticsMetric"), scores=scores)


@settings(max_examples=200, deadline=None)
@given(score=st.floats(-(2.0**127), 2.0**127, width=32))
def test_a_bin_contains_numbers_of_similar_magnitude(score):
    tensor = torch.tensor([score], dtype=torch.float32)
    bin_of = bins_of(tensor)
    assert 0 <= bin_of.item() < BINS
    low, high = (edges_of(bin_of + step).to(torch.float64).item() for step in (0, 1))
    assert low <= score < high
    assume(abs(score) >= float(np.finfo(np.float32).tiny))
    assert high - low <= abs(score) * BIN_WIDTH * 1.0001


def test_bins_have_the_order_of_numbers():
    scores = torch.tensor([-np.inf, -3.0, -1e-40, -0.0, 0.0, 1e-40, 1e-3, 2.0, np.inf])
    bins = bins_of(scores).tolist()
    assert bins == sorted(bins)
    assert bins[3] == bins[4]


@settings(max_examples=30, deadline=None)
@given(
    weights=hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 8, width=32)),
    eps=st.sampled_from([1e-6, 1e-2]),
)
def test_selector_metrics(weights, eps):
    wide = weights.astype(np.float64)
    share = wide / (wide.sum() + eps)
    entropy = -(share * np.log(share + eps)).sum()
    differences = abs(wide[:, None] - wide[None, :]).sum()
    expected = {
        "weight_variance": ((wide - wide.mean()) ** 2).mean(),
        "gini_coefficient": ratio(differences, 2 * wide.size * wide.sum()),
    }
    assert values_of(made("SelectorEntropyMetric", eps=eps), weights=weights) == pytest.approx(
        {"selector/entropy": entropy}
    )
    got = values_of(made("SelectorDiversityMetric"), weights=weights)
    assert got == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    components=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 6)),
        elements=st.floats(-3, 3, width=32),
    )
)
def test_component_orthogonality(components):
    wide = components.astype(np.float64)
    gram, rows = wide @ wide.T, len(wide)
    expected = {
        "orthogonality_error": np.linalg.norm(gram - np.eye(rows)),
        "avg_off_diagonal": np.abs(gram - np.eye(rows)).mean(),
        "diagonal_mean": np.diag(gram).mean(),
        "diagonal_std": np.diag(gram).std(ddof=1) if rows > 1 else 0.0,
    }
    got = values_of(made("ComponentOrthogonalityMetric"), components=components)
    assert got == pytest.approx(expected, abs=1e-9)


def test_explained_variance():
    shares = np.array([0.5, 0.3, 0.1], np.float32)
    got = values_of(made("ExplainedVarianceMetric"), explained_variance_ratio=shares)
    assert got == pytest.approx(
        {
            "explained_variance_pc1": 0.5,
            "explained_variance_pc2": 0.3,
            "explained_variance_pc3": 0.1,
            "cumulative_variance_pc1": 0.5,
            "cumulative_variance_pc2": 0.8,
            "cumulative_variance_pc3": 0.9,
            "total_explained_variance": 0.9,
        }
    )


def test_model_metrics_are_pooled_as_means_over_batches():
    nodes = [made("ExplainedVarianceMetric") for _ in range(2)]
    for metric_node, share in ((nodes[0], 0.2), (nodes[0], 0.4), (nodes[1], 0.9)):
        values_of(metric_node, explained_variance_ratio=np.array([share], np.float32))
    assert nodes[0].pooled()["total_explained_variance"] == pytest.approx(0.3)
    together = nodes[0].values(added(*(metric_node.pool for metric_node in nodes)))
    assert together["explained_variance_pc1"] == pytest.approx(0.5)


def test_anomaly_pixel_statistics_are_pooled_as_counts():
    metric_node = made("AnomalyPixelStatisticsMetric")
    some = np.array([True, False, False, False]).reshape(1, 2, 2, 1)
    assert values_of(metric_node, decisions=some) == {
        "anomaly/total_pixels": 4,
        "anomaly/anomalous_pixels": 1,
        "anomaly/anomaly_percentage": 25,
    }
    values_of(metric_node, decisions=np.ones((1, 1, 12, 1), bool))
    assert metric_node.pooled() == {
        "anomaly/total_pixels": 16,
        "anomaly/anomalous_pixels": 13,
        "anomaly/anomaly_percentage": 81.25,
    }


@pytest.mark.parametrize(
    "class_name",
    [
        "AnomalyDetectionMetrics",
        "AnomalyPixelStatisticsMetric",
        "ComponentOrthogonalityMetric",
        "ExplainedVarianceMetric",
        "ScoreStatisticsMetric",
        "SelectorDiversityMetric",
        "SelectorEntropyMetric",
    ],
)
def test_metrics_run_at_published_stages_without_state(class_name):
    metric_node = made(class_name, execution_stages=None)
    assert metric_node.state_dict() == {}
    running = {stage for stage in Stage if stage is not Stage.ALWAYS and metric_node.runs_at(stage)}
    assert running == {Stage.VAL, Stage.TEST}
