"""Methods without a session: pipelines, schemas, capabilities, validation."""

import json

import grpc
import pytest
import yaml

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas import CONFIG_TYPES

PIPELINES = [
    "anomaly/deep_svdd/deep_svdd.yaml",
    "anomaly/rx/channel_selector.yaml",
    "anomaly/rx/rx_statistical.yaml",
    "channel_selector.yaml",
    "deep_svdd.yaml",
    "rx_statistical.yaml",
]


def listed(stub, tag=None):
    request = pb.ListAvailablePipelinesRequest(**({} if tag is None else {"filter_tag": tag}))
    return list(stub.ListAvailablePipelines(request, timeout=120).pipelines)


def info(stub, path):
    request = pb.GetPipelineInfoRequest(pipeline_path=path)
    return stub.GetPipelineInfo(request, timeout=120).pipeline_info


def findings(stub, kind, content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = pb.ValidateConfigRequest(config_type=kind, config_bytes=raw)
    return stub.ValidateConfig(request, timeout=120)


def test_all_pipelines_are_listed_with_what_every_release_reads(config_service):
    offered = listed(config_service.stub)
    assert [each.pipeline_path for each in offered] == PIPELINES
    first = offered[0]
    assert first.resolved_path.endswith("configs/pipeline/anomaly/deep_svdd/deep_svdd.yaml")
    assert first.metadata.name
    assert list(first.tags) == list(first.metadata.tags)
    assert not first.has_weights
    assert not first.yaml_content


def test_the_misspelt_method_of_the_first_release_answers_the_same(config_service):
    request = pb.ListAvailablePipelineesRequest()
    reply = config_service.stub.ListAvailablePipelinees(request, timeout=120)
    assert list(reply.pipelinees) == listed(config_service.stub)


@pytest.mark.parametrize(("tag", "some"), [("RX", True), ("rx", True), ("r", False)])
def test_a_tag_filters_whatever_its_letter_case(config_service, tag, some):
    assert bool(listed(config_service.stub, tag)) is some


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("rx_statistical", "rx_statistical.yaml"),
        ("rx_statistical.yaml", "rx_statistical.yaml"),
        ("anomaly/rx/channel_selector", "anomaly/rx/channel_selector.yaml"),
    ],
)
def test_a_pipeline_is_returned_with_its_text(config_service, path, found):
    pipeline = info(config_service.stub, path)
    assert pipeline.pipeline_path == found
    assert yaml.safe_load(pipeline.yaml_content)["metadata"]["name"] == pipeline.metadata.name


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("", grpc.StatusCode.INVALID_ARGUMENT, "pipeline_path is empty"),
        ("/etc/passwd", grpc.StatusCode.INVALID_ARGUMENT, "must be relative"),
        ("../trainrun/deep_svdd", grpc.StatusCode.INVALID_ARGUMENT, "without '..'"),
        ("rx\\statistical", grpc.StatusCode.INVALID_ARGUMENT, "must be relative"),
        ("rx_statistic", grpc.StatusCode.NOT_FOUND, "Closest matches: rx_statistical.yaml"),
    ],
)
def test_a_pipeline_that_is_not_offered(config_service, fails, path, code, text):
    error = fails(lambda: info(config_service.stub, path))
    assert error.code() is code
    assert text in error.details()


@pytest.mark.parametrize("kind", sorted(CONFIG_TYPES))
def test_each_kind_of_config_has_a_schema(config_service, kind):
    request = pb.GetParameterSchemaRequest(config_type=kind)
    schema = json.loads(config_service.stub.GetParameterSchema(request, timeout=120).json_schema)
    assert set(schema["properties"]) == set(CONFIG_TYPES[kind].model_fields)


def test_an_unknown_kind_has_no_schema(config_service, fails):
    request = pb.GetParameterSchemaRequest(config_type="trainig")
    error = fails(lambda: config_service.stub.GetParameterSchema(request, timeout=120))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "Did you mean 'training'?" in error.details()


def test_capabilities_name_what_trains_here(config_service):
    request = pb.GetTrainingCapabilitiesRequest()
    reply = config_service.stub.GetTrainingCapabilities(request, timeout=120)
    assert list(reply.supported_optimizers) == ["adam", "adamw", "sgd"]
    assert set(reply.supported_schedulers) >= {"cosine", "step", "exponential", "plateau"}
    callbacks = {each.type: each for each in reply.supported_callbacks}
    assert callbacks.keys() == {"EarlyStopping", "ModelCheckpoint", "LearningRateMonitor"}
    monitor = callbacks["EarlyStopping"].parameters[0]
    assert (monitor.name, monitor.required) == ("monitor", True)


@pytest.mark.parametrize(
    ("kind", "content", "errors"),
    [
        ("training", {"seed": 1, "max_epochs": 3}, []),
        ("training", {"trainer": {"max_epochs": 3}}, []),
        ("training", {"optimizer": {"name": "invalid_opt"}}, ["optimizer.name: 'invalid_opt'"]),
        ("training", {"optimizer": {"lr": -0.001}}, ["optimizer.lr: must be greater than 0"]),
        ("training", {"scheduler": {"name": "cosin"}}, ["Did you mean 'cosine'?"]),
        ("optimizer", {"lr": 2, "weigth_decay": 0}, ["lr: ", "weigth_decay: unknown key"]),
        ("training", b"", ["config_bytes cannot be empty"]),
        ("training", b"{", ["Invalid JSON: "]),
        ("training", [], ["must be a JSON object"]),
        ("data", {}, ["cu3s_file_path: missing"]),
        ("pipeline", {"nodes": [{"name": "a"}]}, ["nodes.0.class_name: missing"]),
        (
            "pipeline",
            {"nodes": [{"name": "a", "class_name": "cuvis_ai.RXGlobl"}]},
            ["nodes.0.class_name: 'cuvis_ai.RXGlobl' is unknown"],
        ),
    ],
)
def test_findings(config_service, kind, content, errors):
    reply = findings(config_service.stub, kind, content)
    assert reply.valid is not bool(errors)
    assert len(reply.errors) == len(errors)
    for part in errors:
        assert any(part in error for error in reply.errors), list(reply.errors)


@pytest.mark.parametrize("name", ["rx_statistical", "channel_selector", "deep_svdd"])
def test_the_shipped_trainruns_are_sound(config_service, name):
    resolved = config_service.resolve("trainrun", f"trainrun/{name}").config_bytes
    reply = findings(config_service.stub, "trainrun", resolved)
    assert list(reply.errors) == []


def test_a_plateau_that_follows_nothing_is_doubtful(config_service):
    reply = findings(config_service.stub, "training", {"scheduler": {"name": "plateau"}})
    assert reply.valid
    assert reply.warnings == ["scheduler.monitor: not given; plateau then monitors 'val_loss'"]


def test_bytes_that_are_not_text_are_refused(config_service, fails):
    error = fails(lambda: findings(config_service.stub, "training", b"\xff\xfe"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_config_of_more_than_8_mib_is_not_parsed(config_service, fails):
    request = pb.ValidateConfigRequest(config_type="data", config_bytes=b"[" * (8 * 1024**2 + 1))
    error = fails(lambda: config_service.stub.ValidateConfig(request))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "config_bytes has 8388609 bytes; the limit is 8388608."
