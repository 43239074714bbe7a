"""Both published shapes are equivalent, and configs are written in their original shape."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_platform.errors import InvalidInput
from fleet_schemas import (
    TRAINER_KEYS,
    DataConfig,
    PipelineConfig,
    PipelineReference,
    TrainerConfig,
    TrainingConfig,
    TrainRunConfig,
    canonical_json,
    parse_config,
    validate_config,
)

RUN = {"name": "run", "data": {"cu3s_file_path": "scene.cu3s"}}
NESTED_KEYS = {
    "seed", "optimizer", "scheduler", "callbacks", "trainer", "max_epochs", "batch_size",
    "num_workers", "gradient_clip_val", "accumulate_grad_batches",
}  # fmt: skip
NESTED_TRAINER_KEYS = {
    "max_epochs", "accelerator", "devices", "default_root_dir", "precision",
    "accumulate_grad_batches", "enable_progress_bar", "enable_checkpointing", "log_every_n_steps",
    "val_check_interval", "check_val_every_n_epoch", "gradient_clip_val", "deterministic",
    "benchmark", "callbacks",
}  # fmt: skip
FLAT_KEYS = {"seed", "optimizer", "scheduler"} | NESTED_TRAINER_KEYS

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "max_epochs": st.integers(1, 10000),
        "accumulate_grad_batches": st.integers(1, 64),
        "gradient_clip_val": st.floats(0, 100),
        "precision": st.sampled_from([16, "32-true", "bf16-mixed"]),
        "devices": st.one_of(st.integers(0, 8), st.just("auto")),
        "deterministic": st.booleans(),
        "limit_val_batches": st.one_of(st.integers(0, 5), st.floats(0, 1)),
        "num_sanity_val_steps": st.integers(-1, 4),
    },
)


def training(content):
    return validate_config(TrainingConfig, content, "training")


@given(SETTINGS)
def test_nested_and_flat_settings_mean_the_same(settings):
    nested = training({"trainer": settings})
    flat = training(settings)

    for key in TRAINER_KEYS:
        assert getattr(nested, key) == getattr(flat, key), key


@given(SETTINGS, st.sampled_from(["nested", "flat"]))
def test_written_configs_are_read_unchanged(settings, shape):
    config = training({"trainer": settings} if shape == "nested" else settings)

    again = parse_config(TrainingConfig, canonical_json(config), "training")

    assert again.to_dict() == config.to_dict()
    for key in TRAINER_KEYS:
        assert getattr(again, key) == getattr(config, key), key


def test_the_nested_shape_is_written_with_the_keys_of_its_readers():
    dumped = training({"trainer": {"max_epochs": 7}}).to_dict()

    assert dumped.keys() == NESTED_KEYS
    assert dumped["trainer"].keys() == NESTED_TRAINER_KEYS
    assert dumped["max_epochs"] == dumped["trainer"]["max_epochs"] == 7


def test_the_flat_shape_is_written_with_the_keys_of_its_readers():
    dumped = training({"accelerator": "cpu", "max_epochs": 7}).to_dict()

    assert dumped.keys() == FLAT_KEYS
    assert dumped["max_epochs"] == 7


def test_keys_since_0_11_are_only_written_if_used():
    newer = {"limit_train_batches": 3, "release_cuda_cache_on_validation": True}

    assert training({"accelerator": "cpu", **newer}).to_dict().keys() == FLAT_KEYS | newer.keys()


def test_a_config_without_a_shape_is_written_with_common_keys():
    assert training({"max_epochs": 7}).to_dict().keys() == NESTED_KEYS & FLAT_KEYS


def test_a_flat_value_takes_precedence_over_a_nested_one():
    config = training({"max_epochs": 3, "trainer": {"max_epochs": 9, "precision": 16}})

    assert config.max_epochs == config.trainer.max_epochs == 3
    assert config.precision == 16


def test_zero_is_not_a_missing_value():
    config = training({"trainer": {"limit_val_batches": 0, "num_sanity_val_steps": 0}})

    assert config.to_dict()["trainer"]["limit_val_batches"] == 0
    assert config.to_dict()["trainer"]["num_sanity_val_steps"] == 0


def test_nested_callbacks_are_the_callbacks():
    config = training({"trainer": {"callbacks": {"early_stopping": [{"monitor": "loss"}]}}})

    assert config.callbacks.early_stopping[0].monitor == "loss"


def test_every_setting_of_the_loop_has_the_same_default_nested_and_flat():
    for key, field in TrainerConfig.model_fields.items():
        assert TrainingConfig.model_fields[key].default == field.default, key


def test_the_older_data_form_is_written_unchanged():
    dumped = validate_config(DataConfig, {"cu3s_file_path": "a", "val_ids": [1]}, "data").to_dict()

    assert dumped["cu3s_file_path"] == "a"
    assert dumped["val_ids"] == [1]
    assert not {"data_module", "splits", "params", "num_workers"} & dumped.keys()


def test_the_newer_data_form_fills_the_direct_attributes_and_is_written_unchanged():
    sent = {
        "data_module": "cu3s",
        "params": {"cu3s_file_path": "a.cu3s", "annotation_json_path": "a.json"},
        "splits": {"train": [{"kind": "file_indices", "source": "a.cu3s", "ids": [0, "3-5"]}]},
    }

    config = validate_config(DataConfig, sent, "data")

    assert config.cu3s_file_path == "a.cu3s"
    assert config.annotation_json_path == "a.json"
    assert config.train_ids == [0, 3, 4, 5]
    assert config.to_dict().keys() == {
        "data_module", "splits", "batch_size", "num_workers", "params",
    }  # fmt: skip
    assert parse_config(DataConfig, canonical_json(config), "data").train_ids == [0, 3, 4, 5]


@pytest.mark.parametrize(
    ("rule", "left_out"),
    [({"leakage_check": "warn"}, "constraints"), ({"constraints": []}, "leakage_check")],
)
def test_splits_are_written_with_the_rule_of_their_generation(rule, left_out):
    splits = validate_config(DataConfig, {"splits": rule}, "data").to_dict()["splits"]

    assert splits.keys() >= rule.keys()
    assert left_out not in splits


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({"kind": "file_indices", "source": "a", "ids": ["3-"]}, "neither a measurement number"),
        ({"kind": "file_indices", "source": "a", "ids": ["0-9999999999"]}, "more than 1000000"),
        ({"kind": "all", "paths": ["a"]}, "takes exactly: no further key"),
        ({"kind": "glob"}, "takes exactly: pattern"),
    ],
)
def test_an_invalid_selector_is_refused(selector, names):
    with pytest.raises(InvalidInput, match=names):
        validate_config(DataConfig, {"splits": {"train": [selector]}}, "data")


def test_a_pipeline_is_written_with_the_keys_of_its_generation():
    older = validate_config(PipelineConfig, {"version": "1"}, "pipeline").to_dict()
    first = validate_config(PipelineConfig, {"name": "a", "frozen_nodes": ["b"]}, "pipeline")
    newer = validate_config(PipelineConfig, {"plugins": ["builtin"]}, "pipeline").to_dict()

    assert older == {"nodes": [], "connections": [], "metadata": None}
    assert first.to_dict() == {"name": "a", "frozen_nodes": ["b"], **older}
    assert newer == {"plugins": ["builtin"], **older}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"nodes": []}, PipelineConfig),
        ("pipeline/rx.yaml", str),
        ({"config_path": "p.yaml", "weights_path": "p.pt"}, PipelineReference),
        (None, type(None)),
    ],
)
def test_the_pipeline_of_a_trainrun_has_all_published_forms(sent, kind):
    config = validate_config(TrainRunConfig, RUN | {"pipeline": sent}, "trainrun")

    assert isinstance(config.pipeline, kind)
    assert parse_config(TrainRunConfig, json.dumps(config.to_dict()).encode(), "x") == config


def test_the_ends_of_a_connection_are_separated():
    sent = {"connections": [{"source": "a.outputs.x", "target": "b.inputs.y"}]}

    edge = validate_config(PipelineConfig, sent, "pipeline").connections[0]

    assert (edge.source_node, edge.source_port, edge.target_node, edge.target_port) == (
        "a", "x", "b", "y",
    )  # fmt: skip
