"""Invalid configs are refused with the place of the fault and valid values."""

import pytest
import torch

from fleet_engine import GraphInvalid, PortSpec, Stage, build_pipeline
from tests.support.scenes.pipelines import (
    DATA,
    DECIDER,
    LOGIT,
    METRICS,
    MIN_MAX,
    RX,
    RX_EDGES,
    batch_of,
    config,
    infer,
    node,
    rx_config,
    rx_nodes,
)

DATA_NODE = node("data", DATA, normal_class_ids=[0])
NORMALIZER = node("norm", MIN_MAX)

INVALID = {
    "unknown class": (
        [node("a", "cuvis_ai.rx.RXGlobel", num_channels=3)],
        [],
        ["'a'", "cuvis_ai.rx.RXGlobel", "cuvis_ai.anomaly.rx_detector.RXGlobal"],
    ),
    "short class name": ([node("a", "RXGlobal", num_channels=3)], [], ["'a'", RX]),
    "arbitrary importable class": ([node("a", "subprocess.Popen")], [], ["subprocess.Popen"]),
    "unknown source node": (
        [DATA_NODE, NORMALIZER],
        [("dato.cube", "norm.data")],
        ["Connection 0", "'dato'", "Did you mean 'data'", "norm"],
    ),
    "unknown target node": (
        [DATA_NODE, NORMALIZER],
        [("data.cube", "norm.data"), ("data.cube", "none.data")],
        ["Connection 1", "no node 'none'"],
    ),
    "unknown output": (
        [DATA_NODE, NORMALIZER],
        [("data.cub", "norm.data")],
        ["'data'", "no output 'cub'", "Did you mean 'cube'", "wavelengths"],
    ),
    "unknown input": (
        [DATA_NODE, NORMALIZER],
        [("data.cube", "norm.dat")],
        ["'norm'", "no input 'dat'", "Did you mean 'data'"],
    ),
    "two sources": (
        [DATA_NODE, NORMALIZER, node("rx", RX, num_channels=3)],
        [("data.cube", "norm.data"), ("norm.normalized", "rx.data"), ("data.cube", "rx.data")],
        ["Connection 2", "rx.inputs.data", "already fed by norm.normalized", "one source"],
    ),
    "dtype clash": (
        [DATA_NODE, NORMALIZER],
        [("data.mask", "norm.data")],
        ["Connection 0", "bool [B, H, W, 1]", "float32 [B, H, W, C]"],
    ),
    "rank clash": (
        [DATA_NODE, node("metrics", METRICS)],
        [("data.wavelengths", "metrics.targets")],
        ["int32 [C]", "bool [B, H, W, 1]"],
    ),
    "cycle": (
        [node("a", MIN_MAX), node("b", MIN_MAX)],
        [("a.normalized", "b.data"), ("b.normalized", "a.data")],
        ["cycle", "a -> b -> a"],
    ),
    "self loop": ([node("a", MIN_MAX)], [("a.normalized", "a.data")], ["cycle", "a -> a"]),
    "missing hparam": ([node("rx", RX, eps=0.1)], [], ["'rx'", "'num_channels'", "missing"]),
    "hparam of the wrong type": (
        [node("rx", RX, num_channels="many")],
        [],
        ["'rx'", "'num_channels'", "'many'", "integer"],
    ),
    "hparam out of range": (
        [node("rx", RX, num_channels=0)],
        [],
        ["'rx'", "'num_channels'", "greater than 0"],
    ),
    "absurd channels": ([node("rx", RX, num_channels=10**9)], [], ["'num_channels'", "16384"]),
    "unknown stage": (
        [node("d", DECIDER, execution_stages=["sometimes"])],
        [],
        ["'d'", "sometimes", "inference", "always"],
    ),
    "stages that are a number": (
        [node("d", DECIDER, execution_stages=0.001)],
        [],
        ["'d'", "0.001", "list", "inference"],
    ),
    "stages that are a text": (
        [node("d", DECIDER, execution_stages="test")],
        [],
        ["'d'", "'test'", "list", "inference"],
    ),
    "class in both lists": (
        [node("data", DATA, normal_class_ids=[0, 1], anomaly_class_ids=[1, 2])],
        [],
        ["'data'", "[1]", "anomaly_class_ids"],
    ),
    "dotted name": ([node("a.b", MIN_MAX)], [], ["'a.b'", "dot"]),
}


@pytest.mark.parametrize("case", INVALID)
def test_refused_naming_the_place(case):
    nodes, edges, words = INVALID[case]
    with pytest.raises(GraphInvalid) as raised:
        build_pipeline(config(nodes, edges))
    for word in words:
        assert word in raised.value.text


def test_duplicate_names_get_a_suffix_and_can_be_wired():
    pipeline = build_pipeline(
        config(
            [DATA_NODE, NORMALIZER, NORMALIZER, NORMALIZER],
            [("data.cube", "norm.data"), ("norm.normalized", "norm-1.data")],
        )
    )
    assert list(pipeline.nodes) == ["data", "norm", "norm-1", "norm-2"]
    assert pipeline.wiring.sources["norm-1", "data"] == ("norm.normalized",)


def test_unknown_hparams_are_kept():
    pipeline = build_pipeline(config([node("rx", RX, num_channels=3, colour="red")]))
    assert pipeline.nodes["rx"].hparams == {
        "num_channels": 3,
        "eps": 1e-6,
        "cache_inverse": True,
        "colour": "red",
    }


@pytest.mark.parametrize(
    "path",
    [
        "cuvis_ai.anomaly.rx_detector.RXGlobal",
        "cuvis_ai.node.anomaly.rx_detector.RXGlobal",
    ],
)
def test_paths_of_both_generations_name_the_same_class(path):
    built = build_pipeline(config([node("rx", path, num_channels=3)]))
    assert type(built.nodes["rx"]).__name__ == "RXGlobal"


def test_a_repeated_connection_counts_once():
    pipeline = build_pipeline(
        config([DATA_NODE, NORMALIZER], [("data.cube", "norm.data"), ("data.cube", "norm.data")])
    )
    assert pipeline.wiring.sources["norm", "data"] == ("data.cube",)


def test_an_empty_pipeline_has_no_outputs():
    assert infer(build_pipeline(config([])), batch_of((1, 2, 2, 3))) == {}


def test_building_touches_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_pipeline(rx_config())
    assert list(tmp_path.iterdir()) == []


def test_inputs_and_outputs_are_the_unconnected_ports():
    pipeline = build_pipeline(rx_config())
    assert set(pipeline.inputs()) == {"cube", "mask", "wavelengths", "logits", "scores"}
    assert not pipeline.inputs()["cube"].optional
    assert pipeline.inputs()["mask"].optional
    assert set(pipeline.outputs()) == {"LentilsAnomalyDataNode.wavelengths"}


def test_free_dimensions_and_dtypes_match_anything():
    wide = PortSpec(torch.float32, (-1, -1))
    assert wide.takes(PortSpec(torch.float32, (5, 7)))
    assert PortSpec(torch.float32, (5, 7)).takes(wide)
    assert PortSpec(None, (-1, -1)).takes(wide)
    assert not PortSpec(torch.float32, (5, 7)).takes(PortSpec(torch.float32, (5, 8)))
    assert not wide.takes(PortSpec(torch.float32, (-1,)))


def test_a_stage_that_breaks_the_flow_is_refused():
    nodes = rx_nodes()
    nodes[1] = node("MinMaxNormalizer", MIN_MAX, execution_stages=["train"])
    pipeline = build_pipeline(config(nodes, RX_EDGES))
    with pytest.raises(GraphInvalid, match=r"'RXGlobal' runs at inference.*'MinMaxNormalizer'"):
        pipeline.plan(Stage.INFERENCE)


def test_initial_values_depend_on_the_config_only():
    torch.manual_seed(1)
    first = torch.rand(1)
    torch.manual_seed(1)
    build_pipeline(config([node("l", LOGIT)]))
    assert torch.equal(torch.rand(1), first), "building must leave the process's generator alone"


@pytest.mark.parametrize("order", [(DECIDER, METRICS), (METRICS, DECIDER)])
def test_an_input_is_required_if_one_of_its_nodes_requires_it(order):
    """The decider requires logits, the metrics do not."""
    pipeline = build_pipeline(config([node(f"n{n}", kind) for n, kind in enumerate(order)]))
    assert not pipeline.inputs()["logits"].optional
    assert build_pipeline(config([node("m", METRICS)])).inputs()["logits"].optional
