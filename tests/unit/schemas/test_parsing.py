"""Parsing of configs, and descriptions of invalid ones."""

import json

import pytest

from fleet_platform.errors import Exhausted, InvalidInput
from fleet_schemas import (
    CONFIG_TYPES,
    DataConfig,
    PipelineConfig,
    TrainingConfig,
    TrainRunConfig,
    canonical_json,
    config_type,
    digest,
    parse_config,
)

RUN = {"name": "run", "data": {"cu3s_file_path": "scene.cu3s"}}


def refusal(model, raw, what="config"):
    raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    with pytest.raises(InvalidInput) as caught:
        parse_config(model, raw, what)
    return caught.value.text


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"", "training: the config is empty"),
        (b"\xff\xfe", "training: not UTF-8 at byte 0"),
        (b"{", "training: not JSON"),
        (b"[]", "training: must be a JSON object, got a list"),
        (b"null", "training: must be a JSON object, got null"),
        (b'{"seed": NaN}', "NaN is not a finite number"),
        (b'{"seed": 1e999}', "training.seed: inf is not a finite number"),
        (b'{"seed": "\\ud800"}', "training.seed: the text contains an unpaired surrogate"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nested deeper than 64 levels"),
        (b"[" * 100_000, "nested deeper than 64 levels"),
        (
            b'{"seed":' + b"9" * 6000 + b"}",
            "training: not JSON: a number has 6000 digits; the limit is 300.",
        ),
    ],
)
def test_other_content_than_configs_is_described(raw, names):
    assert names in refusal(TrainingConfig, raw, "training")


def test_a_config_of_more_than_8_mib_is_not_read():
    with pytest.raises(Exhausted, match="the limit is 8388608"):
        parse_config(TrainingConfig, b" " * (8 * 1024 * 1024 + 1), "training")


@pytest.mark.parametrize(
    ("model", "content", "names"),
    [
        (TrainingConfig, {"optimizer": {"lr": -1}}, "config.optimizer.lr: must be greater than 0"),
        (
            TrainingConfig,
            {"optimizr": {}},
            "config.optimizr: unknown key. Did you mean 'optimizer'?",
        ),
        (TrainingConfig, {"trainer": {"max_epoch": 1}}, "config.trainer.max_epoch: unknown key"),
        (
            TrainingConfig,
            {"max_epochs": 0},
            "config.max_epochs: must be greater than or equal to 1",
        ),
        (TrainingConfig, {"limit_val_batches": 1.5}, "config.limit_val_batches:"),
        (DataConfig, {}, "config.cu3s_file_path: missing"),
        (DataConfig, {"cu3s_file_path": "a", "train_ids": ["x"]}, "config.train_ids.0:"),
        (PipelineConfig, {"nodes": [{"name": "n"}]}, "config.nodes.0.class_name: missing"),
        (PipelineConfig, {"nodes": [{"name": "", "class_name": "c"}]}, "config.nodes.0.name:"),
        (
            PipelineConfig,
            {"connections": [{"source": "a.out.b", "target": "a.inputs.b"}]},
            "connections.0.source: must have the form '<node>.outputs.<port>', got 'a.out.b'",
        ),
        (TrainRunConfig, RUN | {"pipeline": [1]}, "config.pipeline: must be an object, got a list"),
        (TrainRunConfig, RUN | {"pipeline": {"config_path": "p", "x": 1}}, "config.pipeline.x:"),
        (
            TrainRunConfig,
            RUN | {"pipeline": {"nodes": 3}},
            "config.pipeline.nodes: must be a valid",
        ),
        (TrainRunConfig, {"name": "run"}, "config.data: missing"),
        (
            PipelineConfig,
            {"nodes": [{"name": "n", "class_name": "c"}] * 1001},
            "config.nodes: must have at most 1000 items after validation, not 1001, got a list.",
        ),
        (
            PipelineConfig,
            {"connections": [{"source": "a.outputs.x", "target": "b.inputs.x"}] * 10_001},
            "config.connections: must have at most 10000 items after validation, not 10001",
        ),
    ],
)
def test_a_violation_names_its_place_and_valid_values(model, content, names):
    assert names in refusal(model, content)


def test_every_violation_is_named_at_once():
    text = refusal(TrainingConfig, {"seed": -1, "max_epochs": 0, "nope": 1})

    assert "config.seed" in text
    assert "config.max_epochs" in text
    assert "config.nope" in text


def test_the_members_of_a_union_are_in_one_sentence():
    text = refusal(TrainingConfig, {"devices": []})

    assert text == (
        "config.devices: must be a valid integer, got a list or must be a valid string, got a list."
    )


def test_a_config_is_immutable():
    config = parse_config(TrainingConfig, b"{}", "training")

    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3


@pytest.mark.parametrize("name", list(CONFIG_TYPES))
def test_every_type_is_found_by_its_name(name):
    assert config_type(name) is CONFIG_TYPES[name]


def test_an_unknown_type_lists_the_known_ones():
    with pytest.raises(InvalidInput, match=r"Did you mean 'trainrun'\? Known: trainrun, pipeline"):
        config_type("trainrn")


def test_equal_configs_have_the_same_text_and_digest():
    one = parse_config(PipelineConfig, b'{"nodes": [], "name": ""}', "pipeline")
    other = parse_config(PipelineConfig, b'{ "connections": [], "version": "2" }', "pipeline")

    assert canonical_json(one) == canonical_json(other)
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_canonical_json_is_utf8_with_sorted_keys_and_no_spaces():
    assert canonical_json({"b": [1, 2], "a": "ü"}) == '{"a":"ü","b":[1,2]}'.encode()
