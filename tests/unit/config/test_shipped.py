"""The contents of the shipped trainruns and pipelines."""

import pytest

TRAINRUNS = {
    "rx_statistical": {
        "loss_nodes": [],
        "metric_nodes": ["metrics_anomaly", "sample_metrics"],
        "unfreeze_nodes": [],
    },
    "channel_selector": {
        "loss_nodes": ["bce"],
        "metric_nodes": ["metrics_anomaly"],
        "unfreeze_nodes": ["SoftChannelSelector", "RXGlobal", "ScoreToLogit"],
    },
    "deep_svdd": {
        "loss_nodes": ["deepsvdd_loss"],
        "metric_nodes": ["metrics_anomaly"],
        "unfreeze_nodes": ["ZScoreNormalizerGlobal"],
    },
}
NESTED = {
    "rx_statistical": "anomaly/rx/rx_statistical",
    "channel_selector": "anomaly/rx/channel_selector",
    "deep_svdd": "anomaly/deep_svdd/deep_svdd",
}
SAYS_NOTHING = {"name", "execution_stages", "hidden"}
"""Hparams that the published files spell out without effect."""


def arithmetic(config, classes):
    """Class path and hparams of each node of these classes, in order."""
    return [
        (
            node["class_name"],
            {key: value for key, value in node["hparams"].items() if key not in SAYS_NOTHING},
        )
        for node in config["nodes"]
        if node["class_name"] in classes
    ]


def edges(config):
    """Connections with each node's class in place of its name."""
    classes = {node["name"]: node["class_name"] for node in config["nodes"]}
    return {
        tuple(
            (classes[end.split(".")[0]], end.split(".")[2])
            for end in (connection["source"], connection["target"])
        )
        for connection in config["connections"]
    }


@pytest.mark.parametrize("name", TRAINRUNS)
def test_a_trainrun_names_nodes_of_its_pipeline_and_writes_below_outputs(resolve, name):
    config = resolve("trainrun", f"trainrun/{name}")

    assert {key: config[key] for key in TRAINRUNS[name]} == TRAINRUNS[name]
    nodes = {node["name"] for node in config["pipeline"]["nodes"]} | {"sample_metrics"}
    assert nodes.issuperset(node for names in TRAINRUNS[name].values() for node in names)
    assert config["output_dir"].startswith("outputs/")
    callbacks = config["training"]["trainer"]["callbacks"]
    if callbacks is not None:
        assert callbacks["checkpoint"]["dirpath"] == f"{config['output_dir']}/checkpoints"
        assert callbacks["checkpoint"]["monitor"] == "metrics_anomaly/iou"


def test_deep_svdd_trains_on_one_measurement(resolve):
    data = resolve("trainrun", "trainrun/deep_svdd")["data"]

    assert (data["train_ids"], data["val_ids"], data["test_ids"]) == ([0], [3, 4, 6], [1, 5])
    assert data["cu3s_file_path"] == resolve("data", "lentils")["cu3s_file_path"]


@pytest.mark.parametrize("name", TRAINRUNS)
def test_a_flat_pipeline_computes_what_the_nested_one_does(resolve, name):
    flat = resolve("pipeline", f"pipeline/{name}")
    nested = resolve("pipeline", f"pipeline/{NESTED[name]}")

    classes = {node["class_name"] for node in flat["nodes"]}
    assert arithmetic(flat, classes) == arithmetic(nested, classes)
    assert edges(flat) == {
        edge for edge in edges(nested) if classes.issuperset(kind for kind, _ in edge)
    }
    assert {"data", "detector", "decider"} <= {node["name"] for node in flat["nodes"]}
