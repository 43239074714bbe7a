"""A plan computes only requested outputs, and describes faulty inputs."""

import gc
import weakref

import pytest
import torch

from fleet_engine import Context, NotFitted, Stage, build_pipeline
from fleet_platform.errors import InvalidInput, OutOfOrder
from tests.support.scenes.pipelines import (
    DECIDER,
    INFERENCE,
    LOGIT,
    RX_EDGES,
    batch_of,
    config,
    fit,
    fitted_rx,
    infer,
    node,
    rx_config,
    rx_nodes,
)

ALL_KEYS = {
    "LentilsAnomalyDataNode.cube": (torch.float32, (2, 5, 6, 7)),
    "LentilsAnomalyDataNode.wavelengths": (torch.int32, (7,)),
    "MinMaxNormalizer.normalized": (torch.float32, (2, 5, 6, 7)),
    "RXGlobal.scores": (torch.float32, (2, 5, 6, 1)),
    "ScoreToLogit.logits": (torch.float32, (2, 5, 6, 1)),
    "BinaryDecider.decisions": (torch.bool, (2, 5, 6, 1)),
}


@pytest.fixture(scope="module")
def rx():
    return fitted_rx()


def types_of(outputs):
    return {key: (value.dtype, tuple(value.shape)) for key, value in outputs.items()}


def test_all_outputs_without_mask(rx):
    assert types_of(infer(rx, batch_of((2, 5, 6, 7)))) == ALL_KEYS


def test_all_outputs_with_mask(rx):
    outputs = infer(rx, batch_of((2, 5, 6, 7), labelled=True))
    expected = {"LentilsAnomalyDataNode.mask": (torch.bool, (2, 5, 6, 1))}
    assert types_of(outputs) == ALL_KEYS | expected


@pytest.mark.parametrize(
    ("requested", "keys"),
    [
        (["decisions"], {"BinaryDecider.decisions"}),
        (["RXGlobal.scores"], {"RXGlobal.scores"}),
        (["cube", "ScoreToLogit.logits"], {"LentilsAnomalyDataNode.cube", "ScoreToLogit.logits"}),
        (["decisions", "nothing"], {"BinaryDecider.decisions"}),
        (["nothing"], set()),
        (["metrics", "artifacts"], set()),
        (["mask"], set()),
    ],
)
def test_requested_outputs(rx, requested, keys):
    assert set(infer(rx, batch_of((1, 4, 4, 7)), *requested)) == keys


def test_a_bare_port_name_matches_every_node():
    nodes = [*rx_nodes(), node("strict", DECIDER, threshold=0.9)]
    pipeline = build_pipeline(config(nodes, [*RX_EDGES, ("ScoreToLogit.logits", "strict.logits")]))
    fit(pipeline, batch_of((1, 8, 8, 7)))
    outputs = infer(pipeline, batch_of((1, 4, 4, 7)), "decisions")
    assert set(outputs) == {"BinaryDecider.decisions", "strict.decisions"}


def test_only_what_is_needed_runs(rx):
    scores = rx.plan(Stage.INFERENCE, frozenset({"scores"}))
    assert scores.node_names == ("LentilsAnomalyDataNode", "MinMaxNormalizer", "RXGlobal")
    assert rx.plan(Stage.INFERENCE, frozenset({"none"})).node_names == ()


def test_observers_never_run_at_inference():
    nodes = rx_nodes()
    for index in (5, 6, 7):
        nodes[index]["hparams"]["execution_stages"] = ["always"]
    pipeline = build_pipeline(config(nodes, RX_EDGES))
    names = pipeline.plan(Stage.INFERENCE).node_names
    assert not {"metrics_anomaly", "TensorBoardMonitorNode", "mask"} & set(names)


def test_metrics_run_at_test_stage(rx):
    plan = rx.plan(Stage.TEST, frozenset({"metrics"}))
    outputs = plan.run(batch_of((1, 8, 8, 7), labelled=True), Context(Stage.TEST, epoch=3))
    metrics = outputs["metrics_anomaly.metrics"]
    assert {metric.name for metric in metrics} >= {"precision", "recall", "f1_score", "iou"}
    assert {(metric.stage, metric.epoch) for metric in metrics} == {(Stage.TEST, 3)}


def test_a_missing_optional_input_is_named_where_it_is_needed(rx):
    plan = rx.plan(Stage.TEST, frozenset({"metrics"}))
    with pytest.raises(
        InvalidInput, match=r"metrics_anomaly.*targets.*LentilsAnomalyDataNode\.mask"
    ):
        plan.run(batch_of((1, 8, 8, 7)), Context(Stage.TEST))


def test_the_plan_is_compiled_once(rx):
    assert rx.plan(Stage.INFERENCE) is rx.plan(Stage.INFERENCE)


def test_names_without_a_match_are_not_kept(rx):
    """They may be megabytes long and must not be kept in a cache."""
    plans = {
        rx.plan(Stage.INFERENCE, frozenset({"scores", f"{number}" * 100})) for number in range(100)
    }
    assert plans == {rx.plan(Stage.INFERENCE, frozenset({"RXGlobal.scores"}))}


def test_values_are_dropped_after_their_last_use(rx):
    """The cubes are released before the decider runs."""
    pipeline = fitted_rx()
    cubes = []
    alive = []
    normalizer, decider = pipeline.nodes["MinMaxNormalizer"], pipeline.nodes["BinaryDecider"]

    def remember(_module, _args, outputs):
        cubes.append(weakref.ref(outputs["normalized"]))

    def look(_module, _args):
        gc.collect()
        alive.extend(cube() is not None for cube in cubes)

    normalizer.register_forward_hook(remember)
    decider.register_forward_pre_hook(look)
    infer(pipeline, batch_of((1, 20, 20, 7)), "decisions")
    assert alive == [False]


def test_the_request_is_not_modified(rx):
    batch = batch_of((2, 20, 20, 7), labelled=True)
    before = {key: value.clone() for key, value in batch.items()}
    infer(rx, batch)
    assert all(torch.equal(batch[key], before[key]) for key in before)


def test_unknown_batch_entries_are_ignored(rx):
    batch = {**batch_of((1, 4, 4, 7)), "bboxes": [], "text_prompt": "all of it"}
    assert set(infer(rx, batch)) == set(ALL_KEYS)


def test_unfitted_nodes_are_named_with_the_calls_to_make():
    pipeline = build_pipeline(rx_config())
    with pytest.raises(NotFitted) as raised:
        infer(pipeline, batch_of((1, 4, 4, 7)))
    assert isinstance(raised.value, OutOfOrder)
    for word in ("MinMaxNormalizer", "RXGlobal", "Train", "LoadPipelineWeights"):
        assert word in raised.value.text
    assert "ScoreToLogit" not in raised.value.text


def test_nodes_without_statistics_run_unfitted():
    pipeline = build_pipeline(rx_config())
    assert set(infer(pipeline, batch_of((1, 4, 4, 7)), "cube")) == {"LentilsAnomalyDataNode.cube"}


def _wrong(**changes):
    batch = {**batch_of((1, 4, 4, 7)), **changes}
    return {key: value for key, value in batch.items() if value is not None}


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (_wrong(cube=None), ["LentilsAnomalyDataNode", "'cube'", "[B, H, W, C]"]),
        (_wrong(wavelengths=None), ["LentilsAnomalyDataNode", "no 'wavelengths'", "[B, C]"]),
        (_wrong(cube=torch.zeros(4, 4, 7)), ["'cube'", "float32 [4, 4, 7]", "[B, H, W, C]"]),
        (_wrong(cube="cube"), ["'cube'", "a str", "[B, H, W, C]"]),
        (_wrong(cube=torch.zeros(0, 4, 4, 7)), ["'cube'", "empty float32 [0, 4, 4, 7]"]),
        (_wrong(cube=torch.zeros(1, 0, 4, 7)), ["'cube'", "empty"]),
        (_wrong(wavelengths=torch.zeros(1, 6)), ["'wavelengths'", "[1, 6]", "7 channels"]),
        (_wrong(wavelengths=torch.zeros(1, 1, 7)), ["'wavelengths'", "[1, 1, 7]"]),
        (
            _wrong(cube=torch.zeros(1, 4, 4, 9), wavelengths=torch.zeros(9)),
            ["RXGlobal", "'data'", "9 channels", "7 channels"],
        ),
        (_wrong(mask=torch.zeros(1, 4, 5, dtype=torch.int32)), ["'mask'", "[1, 4, 5]"]),
        (_wrong(mask=torch.zeros(1, 4, 4)), ["'mask'", "float32", "integer"]),
        (_wrong(mask=torch.zeros(4, 4, dtype=torch.int32)), ["'mask'", "[4, 4]"]),
    ],
)
def test_an_input_that_does_not_match_is_refused(rx, batch, words):
    with pytest.raises(InvalidInput) as raised:
        infer(rx, batch)
    for word in words:
        assert word in raised.value.text


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float32,
        torch.float64,
        torch.int32,
        torch.int64,
        torch.uint8,
        torch.bool,
        torch.float16,
        torch.uint16,
    ],
)
def test_cubes_of_every_wire_dtype(rx, dtype):
    batch = batch_of((1, 4, 4, 7))
    batch["cube"] = (batch["cube"].to(torch.int32) % 200).to(dtype)
    outputs = infer(rx, batch, "cube")
    expected = batch["cube"].to(torch.float64).to(torch.float32)
    assert torch.equal(outputs["LentilsAnomalyDataNode.cube"], expected)


@pytest.mark.parametrize(
    "wavelengths",
    [
        torch.arange(400, 407, dtype=torch.int32),
        torch.arange(400, 407, dtype=torch.float32) + 0.2,
        (torch.arange(400, 407, dtype=torch.float64) - 0.2).expand(1, 7),
        torch.arange(400, 407, dtype=torch.int64).expand(3, 7),
        torch.arange(400, 407, dtype=torch.int32).to(torch.uint16),
    ],
)
def test_wavelengths_of_every_form(rx, wavelengths):
    batch = {**batch_of((3, 4, 4, 7)), "wavelengths": wavelengths}
    outputs = infer(rx, batch, "wavelengths")
    expected = torch.arange(400, 407, dtype=torch.int32)
    assert torch.equal(outputs["LentilsAnomalyDataNode.wavelengths"], expected)


def test_no_gradient_graph_is_kept(rx):
    pipeline = fitted_rx()
    for one in pipeline.nodes.values():
        one.unfreeze()
    outputs = infer(pipeline, batch_of((1, 4, 4, 7)), "logits")
    assert not outputs["ScoreToLogit.logits"].requires_grad
    assert torch.equal(
        outputs["ScoreToLogit.logits"],
        infer(rx, batch_of((1, 4, 4, 7)), "logits")["ScoreToLogit.logits"],
    )


def test_gradients_flow_at_train_stage():
    pipeline = fitted_rx()
    pipeline.nodes["RXGlobal"].unfreeze()
    plan = pipeline.plan(Stage.TRAIN, frozenset({"logits"}))
    plan.run(batch_of((1, 4, 4, 7)), Context(Stage.TRAIN))["ScoreToLogit.logits"].sum().backward()
    assert pipeline.nodes["RXGlobal"].mu.grad is not None
    pipeline.nodes["RXGlobal"].freeze()
    assert list(pipeline.nodes["RXGlobal"].parameters()) == []


def test_size_counts_all_state():
    small, large = (build_pipeline(rx_config(channels)).size_bytes for channels in (7, 9))
    assert large - small == 4 * (9 + 81 + 81) - 4 * (7 + 49 + 49)


@pytest.mark.parametrize(
    ("config_of", "least_bytes"),
    [
        pytest.param(
            lambda: config([node(f"n{i}", LOGIT) for i in range(1000)]), 4_000_000, id="many nodes"
        ),
        pytest.param(
            lambda: config([node("n", LOGIT, remark="x" * 1_000_000)]), 1_000_000, id="much text"
        ),
    ],
)
def test_size_includes_memory_besides_tensors(config_of, least_bytes):
    """A cache that is limited in bytes would otherwise have no limit."""
    assert build_pipeline(config_of()).size_bytes > least_bytes


def test_context_is_ignored_by_results(rx):
    plan = rx.plan(Stage.INFERENCE, frozenset({"scores"}))
    batch = batch_of((1, 4, 4, 7))
    later = plan.run(batch, Context(Stage.INFERENCE, epoch=9))
    assert torch.equal(later["RXGlobal.scores"], plan.run(batch, INFERENCE)["RXGlobal.scores"])
