"""ResolveConfig over the wire."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

RUN = "trainrun/rx_statistical"
OVERRIDES = ("data.batch_size=4", "training.trainer.max_epochs=1", "training.seed=7")


def test_the_guides_call_answers_the_whole_config(config_service):
    reply = config_service.resolve("trainrun", RUN, *OVERRIDES)
    config = json.loads(reply.config_bytes)

    assert reply.config_bytes == json.dumps(config, indent=2).encode()
    assert config["name"] == "rx_statistical"
    assert config["pipeline"]["metadata"]["name"] == "RX_Statistical"
    assert [node["name"] for node in config["pipeline"]["nodes"]] == [
        "LentilsAnomalyDataNode",
        "MinMaxNormalizer",
        "RXGlobal",
        "ScoreToLogit",
        "BinaryDecider",
        "metrics_anomaly",
        "TensorBoardMonitorNode",
        "mask",
    ]
    assert config["data"]["batch_size"] == 4
    assert config["data"]["shuffle"] is True  # a default that the file does not spell out
    assert config["training"]["trainer"]["max_epochs"] == 1
    assert config["training"]["seed"] == 7
    assert config["output_dir"] == "outputs/rx_statistical"


@pytest.mark.parametrize("name", ["channel_selector", "deep_svdd"])
def test_the_gradient_trainruns_take_the_guides_overrides(config_service, name):
    overrides = ("training.trainer.max_epochs=5", "training.scheduler.patience=10")
    reply = config_service.resolve("trainrun", f"trainrun/{name}", *overrides)
    config = json.loads(reply.config_bytes)

    assert config["name"] == name
    assert config["training"]["trainer"]["max_epochs"] == 5
    assert config["training"]["scheduler"]["patience"] == 10
    assert config["training"]["scheduler"]["name"] == "reduce_on_plateau"
    nodes = {node["name"] for node in config["pipeline"]["nodes"]}
    assert nodes.issuperset(config["loss_nodes"] + config["unfreeze_nodes"])


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("pipeline", "pipeline/rx_statistical"),
        ("pipeline", "pipeline/channel_selector"),
        ("pipeline", "pipeline/deep_svdd"),
        ("data", "lentils"),
        ("training", "default"),
    ],
)
def test_parts_are_resolved_by_themselves(config_service, kind, path):
    assert json.loads(config_service.resolve(kind, path).config_bytes)


def test_the_guides_flat_pipeline_has_the_names_that_the_guide_prints(config_service):
    config = json.loads(config_service.resolve("pipeline", "pipeline/rx_statistical").config_bytes)

    assert {"detector", "decider"} < {node["name"] for node in config["nodes"]}


@pytest.mark.parametrize(
    ("call", "code", "names"),
    [
        (("trainrun", "trainrun/nothing"), grpc.StatusCode.NOT_FOUND, "trainrun/nothing"),
        (("nope", RUN), grpc.StatusCode.INVALID_ARGUMENT, "Known: trainrun"),
        (("", RUN), grpc.StatusCode.INVALID_ARGUMENT, "Known: trainrun"),
        (("trainrun", ""), grpc.StatusCode.INVALID_ARGUMENT, "path is empty"),
        (("trainrun", "../x"), grpc.StatusCode.INVALID_ARGUMENT, "'..'"),
        (("trainrun", "/etc/hosts"), grpc.StatusCode.INVALID_ARGUMENT, "outside"),
        (("trainrun", RUN, "nope=1"), grpc.StatusCode.INVALID_ARGUMENT, "'nope=1'"),
        (("trainrun", RUN, "=["), grpc.StatusCode.INVALID_ARGUMENT, "'=['"),
        (("trainrun", RUN, "data=x"), grpc.StatusCode.INVALID_ARGUMENT, "'data=x'"),
        (("trainrun", RUN, "name=${oc.env:HOME}"), grpc.StatusCode.INVALID_ARGUMENT, "refused"),
    ],
)
def test_an_error_is_plain_and_leaves_the_session_usable(config_service, fails, call, code, names):
    error = fails(lambda: config_service.resolve(*call))

    assert error.code() is code
    assert names in error.details()
    assert json.loads(config_service.resolve("trainrun", RUN).config_bytes)["name"]


def test_an_unknown_session_is_not_found(config_service, fails):
    error = fails(lambda: config_service.resolve("trainrun", RUN, session_id="gone"))

    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "Session gone not found" in error.details()


def test_a_caller_that_leaves_does_not_delay_others(config_service, fails):
    error = fails(lambda: config_service.resolve("trainrun", RUN, timeout=0.0001))

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert config_service.resolve("trainrun", RUN).config_bytes


def test_calls_at_the_same_time_do_not_mix_up(config_service):
    def batch_size(wanted):
        reply = config_service.resolve("trainrun", RUN, f"data.batch_size={wanted}")
        return json.loads(reply.config_bytes)["data"]["batch_size"]

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(batch_size, range(1, 33))) == list(range(1, 33))


def test_the_service_does_not_import_torch():
    script = "import sys, fleet_config.__main__; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
