"""Errors and warnings about a pipeline's graph before it is built."""

import json
from pathlib import Path

import pytest

from fleet_config.validation import validate
from fleet_schemas import PipelineConfig, parse_yaml

CONFIGS = Path(__file__).parents[3] / "configs"
DATA = "cuvis_ai.node.data.LentilsAnomalyDataNode"
MIN_MAX = "cuvis_ai.node.normalization.MinMaxNormalizer"
RX = "cuvis_ai.anomaly.rx_detector.RXGlobal"
METRICS = "cuvis_ai.node.metrics.AnomalyDetectionMetrics"


def node(name, kind, **hparams):
    return {"name": name, "class_name": kind, "hparams": hparams}


def pipeline(*nodes, edges=(), **more):
    return {
        "nodes": list(nodes),
        "connections": [
            {
                "source": "{}.outputs.{}".format(*source.split(".")),
                "target": "{}.inputs.{}".format(*target.split(".")),
            }
            for source, target in edges
        ],
        **more,
    }


def found(kind, content, node_packages=()):
    return validate(kind, json.dumps(content).encode(), node_packages)


DATA_NODE = node("data", DATA, normal_class_ids=[0])
NORM = node("norm", MIN_MAX)


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("pipeline/*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_pipelines_are_sound(file):
    findings = found("pipeline", parse_yaml(file.read_bytes(), "pipeline"))
    assert (findings.errors, findings.warnings) == ([], [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pipeline(), ["nodes is empty"]),
        (
            pipeline(node("a", "cuvis_ai.RXGlobel", num_channels=3)),
            ["nodes.0.class_name: 'cuvis_ai.RXGlobel' is unknown", RX],
        ),
        (pipeline(node("rx", RX, eps=0.1)), ["nodes.0.hparams", "RXGlobal", "needs 'num_chan"]),
        (pipeline(node("a.b", MIN_MAX)), ["nodes.0.name", "must not contain a dot"]),
        (
            pipeline(DATA_NODE, NORM, edges=[("data.cub", "norm.data")]),
            ["Connection 0", "no output 'cub'", "Did you mean 'cube'?"],
        ),
        (
            pipeline(DATA_NODE, NORM, edges=[("data.cube", "nrm.data")]),
            ["Connection 0", "no node 'nrm'", "Did you mean 'norm'?"],
        ),
        (
            pipeline(DATA_NODE, NORM, edges=[("data.mask", "norm.data")]),
            ["Connection 0", "bool [B, H, W, 1]", "float32 [B, H, W, C]"],
        ),
        (
            pipeline(DATA_NODE, node("m", METRICS), edges=[("data.wavelengths", "m.targets")]),
            ["int32 [C]", "bool [B, H, W, 1]"],
        ),
        (
            pipeline(
                NORM,
                NORM,
                edges=[("norm.normalized", "norm-1.data"), ("norm-1.normalized", "norm.data")],
            ),
            ["cycle: norm -> norm-1 -> norm"],
        ),
        (
            pipeline(
                DATA_NODE,
                NORM,
                node("n2", MIN_MAX),
                edges=[("data.cube", "n2.data"), ("norm.normalized", "n2.data")],
            ),
            ["Connection 1", "already fed by data.cube"],
        ),
    ],
)
def test_an_error_names_its_place_and_what_would_be_right(content, words):
    findings = found("pipeline", content)
    assert len(findings.errors) == 1, findings.errors
    for word in words:
        assert word in findings.errors[0]


def test_all_errors_are_found_at_once():
    content = pipeline(
        node("a", "no.Such"),
        node("rx", RX),
        NORM,
        edges=[("norm.x", "rx.data"), ("norm.normalized", "rx.data")],
    )
    assert len(found("pipeline", content).errors) == 3


def test_an_unknown_hparam_is_doubtful():
    findings = found(
        "pipeline", pipeline(node("norm", MIN_MAX, epss=1, execution_stages=["train"]))
    )
    assert findings.errors == []
    (warning,) = findings.warnings
    assert "nodes.0.hparams: MinMaxNormalizer has no 'epss'" in warning
    assert "Did you mean 'eps'?" in warning


@pytest.mark.parametrize(
    ("plugins", "packages", "errors", "warnings"),
    [
        (None, (), 1, 0),
        (None, ("lab",), 0, 1),
        (None, ("lab.nodes.Smooth",), 0, 1),
        (None, ("la",), 1, 0),
        (["mine"], (), 0, 1),
        ([], (), 1, 0),
    ],
)
def test_an_unknown_class_is_checked_by_who_may_provide_it(plugins, packages, errors, warnings):
    content = pipeline(
        NORM, node("lab", "lab.nodes.Smooth", any=1), edges=[("norm.normalized", "lab.whatever")]
    )
    if plugins is not None:
        content["plugins"] = plugins
    findings = found("pipeline", content, packages)
    assert (len(findings.errors), len(findings.warnings)) == (errors, warnings)


def test_many_warnings_hide_no_error():
    many = {f"x{i}": 1 for i in range(200)}
    findings = found("pipeline", pipeline(node("norm", MIN_MAX, **many), node("rx", RX)))
    assert len(findings.warnings) == 50
    assert len(findings.errors) == 1


def trainrun(**more):
    edges = [("data.cube", "norm.data"), ("norm.normalized", "rx.data")]
    return {
        "name": "run",
        "data": {"cu3s_file_path": "x.npz"},
        "pipeline": pipeline(DATA_NODE, NORM, node("rx", RX, num_channels=3), edges=edges),
        **more,
    }


def test_a_sound_trainrun_has_no_findings():
    findings = found("trainrun", trainrun(loss_nodes=["rx"], unfreeze_nodes=["norm"]))
    assert (findings.errors, findings.warnings) == ([], [])


@pytest.mark.parametrize("key", ["loss_nodes", "freeze_nodes", "unfreeze_nodes"])
def test_a_name_that_the_pipeline_does_not_have_is_an_error(key):
    (error,) = found("trainrun", trainrun(**{key: ["rxx"]})).errors
    assert error.startswith(f"{key}.0: the pipeline has no node 'rxx'. Did you mean 'rx'?")


def test_an_absent_metric_is_an_error_only_where_it_is_computed():
    assert len(found("trainrun", trainrun(metric_nodes=["sample_metrics"])).warnings) == 1
    gradient = found("trainrun", trainrun(metric_nodes=["sample_metrics"], loss_nodes=["rx"]))
    assert len(gradient.errors) == 1


def test_the_graph_of_a_trainrun_is_looked_at_too():
    content = trainrun()
    content["pipeline"]["nodes"][2]["hparams"] = {}
    (error,) = found("trainrun", content).errors
    assert error.startswith("pipeline.nodes.2.hparams: node 'rx'")


def test_an_input_that_nothing_feeds_in_a_training_is_doubtful():
    content = trainrun()
    content["pipeline"]["nodes"].append(node("metrics", METRICS))
    findings = found("trainrun", content)
    assert findings.errors == []
    assert [text.partition(", which")[0] for text in findings.warnings] == [
        "pipeline.nodes.3: node 'metrics' needs 'targets'",
    ]


def test_a_trainrun_that_names_its_pipeline_by_a_path_is_not_searched():
    content = trainrun(loss_nodes=["anything"]) | {"pipeline": "pipeline/rx_statistical"}
    assert found("trainrun", content).errors == []


def test_what_is_sound_can_be_built():
    from fleet_engine import build_pipeline

    content = trainrun()["pipeline"]
    assert found("pipeline", content).errors == []
    build_pipeline(PipelineConfig.model_validate(content))
