"""The effects of overrides, and the errors of invalid ones."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_config.editing import snake_case
from fleet_config.override import parse_overrides
from fleet_platform.errors import InvalidInput
from fleet_schemas import CONFIG_TYPES

RUN = "trainrun/rx_statistical"
FLAT_TRAINING = "accelerator: cpu\nmax_epochs: 5\n"
NESTED_TRAINING = "trainer: {max_epochs: 5}\n"


def at(config, path):
    for part in path.split("."):
        config = config[int(part)] if isinstance(config, list) else config[part]
    return config


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("data.batch_size=4", "data.batch_size", 4),
        ("data.train_ids=[0,1,2]", "data.train_ids", [0, 1, 2]),
        ("data.train_ids.0=9", "data.train_ids", [9, 2, 3]),
        ("data={batch_size: 9}", "data.batch_size", 9),
        ("data=lentils", "data.batch_size", 2),
        ("data.annotation_json_path=null", "data.annotation_json_path", None),
        ("data.shuffle=false", "data.shuffle", False),
        ("data.cu3s_file_path=${name}.cu3s", "data.cu3s_file_path", "rx_statistical.cu3s"),
        ("name='a=b'", "name", "a=b"),
        ("++name=other", "name", "other"),
        ("+tags.site=lab", "tags", {"site": "lab"}),
        ("~data.batch_size", "data.batch_size", 1),
        ("~training.optimizer", "training.optimizer.lr", 0.001),
        ("training.seed=7", "training.seed", 7),
        ("training.optimizer.lr=1e-2", "training.optimizer.lr", 0.01),
        ("training.optimizer.betas=[0.8,0.9]", "training.optimizer.betas", [0.8, 0.9]),
        ("training.trainer.max_epochs=3", "training.trainer.max_epochs", 3),
        ("training.trainer.max_epochs=3", "training.max_epochs", 3),
        ("training.max_epochs=3", "training.trainer.max_epochs", 3),
        ("training.precision=16", "training.trainer.precision", 16),
        ("training.trainer.gradient_clip_val=2", "training.gradient_clip_val", 2.0),
        ("training.scheduler.patience=10", "training.scheduler.patience", 10),
        ("pipeline.nodes.2.hparams.num_channels=5", "pipeline.nodes.2.hparams.num_channels", 5),
        ("pipeline.nodes.RXGlobal.hparams.eps=1e-3", "pipeline.nodes.2.hparams.eps", 0.001),
        ("pipeline.nodes.RXGlobal.params.eps=1e-3", "pipeline.nodes.2.hparams.eps", 0.001),
        ("pipeline.nodes.rx_global.params.eps=1e-3", "pipeline.nodes.2.hparams.eps", 0.001),
        ("pipeline.nodes.rx_detector.params.eps=1e-3", "pipeline.nodes.2.hparams.eps", 0.001),
        ("+pipeline.nodes.RXGlobal.params.new=1", "pipeline.nodes.2.hparams.new", 1),
        ("pipeline.metadata.name=Mine", "pipeline.metadata.name", "Mine"),
    ],
)
def test_an_override_changes_its_value(resolve, override, path, value):
    assert at(resolve("trainrun", RUN, override), path) == value


@pytest.mark.parametrize("key", ["max_epochs", "trainer.max_epochs"])
@pytest.mark.parametrize("prefix", ["", "training."])
@pytest.mark.parametrize("text", [FLAT_TRAINING, NESTED_TRAINING])
def test_a_setting_means_the_same_on_either_shape(resolve, write, key, prefix, text):
    write("training/mine.yaml", text)
    before = resolve("training", "training/mine")

    after = resolve("training", "training/mine", f"{prefix}{key}=9")

    assert after["max_epochs"] == 9
    assert ("trainer" in after) == ("trainer" in before)
    assert after.get("trainer", {"max_epochs": 9})["max_epochs"] == 9


def test_null_resets_a_setting_in_either_form(resolve, write):
    write("training/mine.yaml", "gradient_clip_val: 1.0\ntrainer: {gradient_clip_val: 1.0}\n")

    after = resolve("training", "training/mine", "training.gradient_clip_val=null")

    assert after["gradient_clip_val"] is after["trainer"]["gradient_clip_val"] is None


@pytest.mark.parametrize("override", ["data.batch_size=7", "batch_size=7"])
def test_a_config_takes_its_own_keys_with_and_without_the_name_of_its_type(resolve, override):
    assert resolve("data", "data/lentils", override)["batch_size"] == 7


def test_later_overrides_win(resolve):
    assert resolve("trainrun", RUN, "name=a", "name=b")["name"] == "b"


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("garbage", "not in Hydra's grammar"),
        ("", "not in Hydra's grammar"),
        ("=", "has no key"),
        ("data.batch_size=[[[", "not in Hydra's grammar"),
        ("name=" + "[" * 5000, "not in Hydra's grammar"),
        ("garbage=1", "there is no 'garbage'. Top-level keys: name, pipeline, data"),
        ("+foo=3", "there is no 'foo'"),
        ("max_epochs=3", "Did you mean training.trainer.max_epochs or training.max_epochs?"),
        ("training.trainer.max_epoch=3", "Did you mean 'training.trainer.max_epochs'?"),
        ("training.optimizer.lr=-1", "training.optimizer.lr: must be greater than 0, got -1"),
        ("training.trainer.max_epochs=0", "max_epochs: must be greater than or equal to 1"),
        ("training.optimizer.lr=nan", "nan is not a finite number"),
        ("data.batch_size=many", "data.batch_size: must be a valid integer"),
        ("data.batch_size=1,2", "asks for several values"),
        ("data.train_ids=range(0,5)", "asks for several values"),
        ("data.train_ids.9=1", "'data.train_ids' has 3 entries"),
        ("data.train_ids.x=1", "'x' is not a number from 0 to 2"),
        ("data.batch_size.x=1", "'data.batch_size' is 2 and has no keys"),
        ("data=other", "Could not find 'data/other' Available options in 'data': lentils"),
        ("training@foo=default", "Could not override 'training@foo'"),
        ("name@data=x", "there is no config group 'name'"),
        ("+name=x", "exists already; omit the '+'"),
        ("~training.scheduler", "there is no 'training.scheduler' to delete"),
        ("~data.batch_size=5", "'data.batch_size' is 2, not 5"),
        ("~data", "trainrun.data: missing"),
        ("tags.site=lab", "Write +tags.site=lab to add it"),
        ("pipeline.nodes.RXGlobal.params.epss=1", "Did you mean 'eps'?"),
        ("pipeline.nodes.RXGlobl.params.eps=1", "Did you mean 'RXGlobal'?"),
        ("pipeline.nodes.99.hparams.eps=1", "'pipeline.nodes' has 8 entries"),
        ("pipeline.nodes.conversion.params.init_scale=abc=", "not in Hydra's grammar"),
        ("hydra.run.dir=/tmp", "Hydra's own settings"),
        ("hydra/launcher=x", "Hydra's own settings"),
        ("+hydra.searchpath=[/etc]", "Hydra's own settings"),
        ("name=${oc.env:HOME}", "Only references to other keys"),
        ("name=${oc.decode:'1'}", "Only references to other keys"),
        ("name='${oc.create:${name}}'", "Only references to other keys"),
        ("name='${${name}}'", "Only references to other keys"),
        ("name=${nowhere}", "'${nowhere}' refers to a missing key"),
        ("name=${name}", "refers to itself"),
        ("+data._target_=os.system", "the key '_target_' is refused"),
        ("+tags={_target_: os.system}", "the key '_target_' is refused"),
    ],
)
def test_a_wrong_override_is_named_with_what_would_be_right(refusal, override, names):
    text = refusal(InvalidInput, "trainrun", RUN, override)

    assert names in text
    if "refers to" not in names:
        assert f"'{override[:200]}'" in text


def test_a_nickname_of_several_nodes_is_not_guessed(refusal, write):
    write(
        "pipeline/two.yaml",
        "nodes: [{name: a, class_name: x.rx.R, hparams: {e: 1}},"
        " {name: b, class_name: x.rx.R, hparams: {e: 1}}]",
    )

    text = refusal(InvalidInput, "pipeline", "pipeline/two", "nodes.rx.params.e=2")

    assert "'rx' in 'nodes' is ambiguous: a, b" in text


def test_the_overrides_together_are_bounded():
    with pytest.raises(InvalidInput, match="the limit is 32768"):
        parse_overrides(["name=" + "a" * 70_000])


def test_one_override_is_bounded_for_its_parser_takes_the_square_of_its_length(resolve):
    with pytest.raises(InvalidInput, match=r"'data.train_ids=\[1,.*' has 8194 .*the limit is 8192"):
        resolve("trainrun", RUN, f"data.train_ids=[{'1,' * 4088}1]")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("RXGlobal", "rx_global"),
        ("LentilsAnomalyDataNode", "lentils_anomaly_data_node"),
        ("MinMaxNormalizer", "min_max_normalizer"),
        ("DeepSVDDScores", "deep_svdd_scores"),
        ("metrics_anomaly", "metrics_anomaly"),
    ],
)
def test_names_have_a_snake_case(name, words):
    assert snake_case(name) == words


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc xyz", max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(JSON_VALUES)
@settings(max_examples=50, deadline=None)
def test_json_values_are_read_as_they_are(value):
    assert parse_overrides([f"+key={json.dumps(value)}"])[0].value() == value


@given(st.text(max_size=30), st.sampled_from(sorted(CONFIG_TYPES)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_sent_is_read_or_refused(text, key):
    for override in (text, f"{key}={text}"):
        with suppress(InvalidInput):
            assert parse_overrides([override])[0].input_line == override
