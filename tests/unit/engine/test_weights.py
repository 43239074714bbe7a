"""Weights are saved and loaded unchanged and completely."""

import io

import pytest
import torch

from fleet_engine import build_pipeline
from fleet_engine.weights import (
    WeightsMismatch,
    fitted_nodes,
    from_safetensors,
    load_state,
    load_weights,
    read_weights,
    state_of,
    to_safetensors,
    write_published,
)
from fleet_platform.errors import InvalidInput
from tests.support.scenes.pipelines import (
    LOGIT,
    MIN_MAX,
    batch_of,
    config,
    fitted_rx,
    infer,
    node,
    rx_config,
)

BATCH = batch_of((1, 20, 20, 7), seed=9)


@pytest.fixture(scope="module")
def rx():
    return fitted_rx()


def scores(pipeline):
    return infer(pipeline, BATCH, "logits")["ScoreToLogit.logits"]


def copy_of(state):
    return {
        name: {key: value.clone() for key, value in values.items()}
        for name, values in state.items()
    }


def test_safetensors_round_trip(rx):
    other = build_pipeline(rx_config())
    from_safetensors(other, to_safetensors(rx))
    assert fitted_nodes(other) == fitted_nodes(rx)
    assert torch.equal(scores(other), scores(rx))


def test_safetensors_keep_unfitted_unfitted():
    first, second = build_pipeline(rx_config()), fitted_rx()
    from_safetensors(second, to_safetensors(first))
    assert fitted_nodes(second) == ()


def test_equal_states_result_in_equal_bytes(rx):
    assert to_safetensors(rx) == to_safetensors(fitted_rx())


@pytest.mark.parametrize("solve", [True, False])
def test_safetensors_without_a_cached_inverse(solve):
    first = fitted_rx(cache_inverse=not solve)
    second = build_pipeline(rx_config(cache_inverse=not solve))
    from_safetensors(second, to_safetensors(first))
    assert torch.equal(scores(second), scores(first))


@pytest.mark.parametrize("content", [b"", b"no", b"\x00" * 64, b"\xff" * 64])
def test_other_files_are_not_safetensors(rx, content):
    with pytest.raises(InvalidInput, match="safetensors"):
        from_safetensors(build_pipeline(rx_config()), content)


def test_published_round_trip(rx):
    content = write_published(rx, {"name": "mine", "tags": ["rx"]})
    other = build_pipeline(rx_config())
    load_weights(other, content, strict=True)
    assert fitted_nodes(other) == ("MinMaxNormalizer", "RXGlobal", "ScoreToLogit")
    assert torch.equal(scores(other), scores(rx))


def test_published_layout_on_disk(rx):
    loaded = torch.load(io.BytesIO(write_published(rx, {"name": "mine"})), weights_only=True)
    assert loaded["metadata"] == {
        "name": "mine",
        "fitted_nodes": ["MinMaxNormalizer", "RXGlobal", "ScoreToLogit"],
    }
    assert list(loaded["state_dict"]) == list(rx.nodes)
    assert loaded["state_dict"]["BinaryDecider"] == {}
    shapes = {
        f"{name}.{key}": tuple(value.shape)
        for name, values in loaded["state_dict"].items()
        for key, value in values.items()
    }
    assert shapes == {
        "MinMaxNormalizer.running_min": (),
        "MinMaxNormalizer.running_max": (),
        "RXGlobal.mu": (7,),
        "RXGlobal.cov": (7, 7),
        "RXGlobal.cov_inv": (7, 7),
        "ScoreToLogit.scale": (),
        "ScoreToLogit.bias": (),
    }


def test_unfrozen_nodes_are_saved_under_the_same_keys():
    pipeline = fitted_rx()
    frozen = write_published(pipeline, {})
    for one in pipeline.nodes.values():
        one.unfreeze()
    unfrozen = write_published(pipeline, {})
    names = list(pipeline.nodes)
    assert read_weights(unfrozen, names).state.keys() == read_weights(frozen, names).state.keys()
    other = build_pipeline(rx_config())
    from_safetensors(other, to_safetensors(pipeline))
    assert torch.equal(scores(other), scores(pipeline))


@pytest.mark.parametrize("strict", [True, False])
def test_a_shape_that_differs_is_always_refused(rx, strict):
    state = copy_of(state_of(fitted_rx(5)))
    other = build_pipeline(rx_config())
    before = copy_of(state_of(other))
    with pytest.raises(WeightsMismatch) as raised:
        load_state(other, state, strict=strict)
    for word in ("RXGlobal.mu", "[5]", "[7]", "RXGlobal.cov_inv", "[5, 5]", "[7, 7]"):
        assert word in raised.value.text
    after = state_of(other)
    for name, values in before.items():
        for key, value in values.items():
            assert torch.equal(value, after[name][key]) or value.isnan().all()
    assert fitted_nodes(other) == ()


def test_missing_keys_and_nodes_are_refused_when_strict(rx):
    state = copy_of(state_of(rx))
    del state["RXGlobal"]["cov"]
    del state["ScoreToLogit"]
    state["Renamed"] = {"bias": torch.zeros(())}
    with pytest.raises(WeightsMismatch) as raised:
        load_state(build_pipeline(rx_config()), state, strict=True)
    for word in ("RXGlobal.cov", "ScoreToLogit.scale", "ScoreToLogit.bias", "Renamed"):
        assert word in raised.value.text


def test_missing_keys_and_nodes_are_ignored_when_not_strict(rx):
    state = copy_of(state_of(rx))
    del state["RXGlobal"]["cov"]
    del state["ScoreToLogit"]
    other = build_pipeline(rx_config())
    load_state(other, state, strict=False)
    assert fitted_nodes(other) == ("MinMaxNormalizer", "RXGlobal")
    assert torch.equal(state_of(other)["RXGlobal"]["mu"], state["RXGlobal"]["mu"])


@pytest.mark.parametrize("strict", [True, False])
def test_nodes_that_only_exist_in_the_file_are_ignored(rx, strict):
    state = {**copy_of(state_of(rx)), "bce": {}, "Selector": {"channel_logits": torch.zeros(7)}}
    other = build_pipeline(rx_config())
    load_state(other, state, strict=strict)
    assert torch.equal(scores(other), scores(rx))


def test_unknown_keys_of_a_known_node_are_refused_when_strict(rx):
    state = copy_of(state_of(rx))
    state["RXGlobal"]["spare"] = torch.zeros(1)
    with pytest.raises(WeightsMismatch, match=r"unknown RXGlobal\.spare"):
        load_state(build_pipeline(rx_config()), state, strict=True)
    load_state(build_pipeline(rx_config()), state, strict=False)


def test_loading_casts_to_the_pipelines_dtype(rx):
    state = {
        name: {key: value.double() for key, value in values.items()}
        for name, values in state_of(rx).items()
    }
    other = build_pipeline(rx_config())
    load_state(other, state, strict=True)
    assert state_of(other)["RXGlobal"]["mu"].dtype == torch.float32
    assert torch.equal(scores(other), scores(rx))


def test_a_node_that_needs_no_fit_is_not_marked():
    pipeline = build_pipeline(
        config([node("a", MIN_MAX, use_running_stats=False), node("b", LOGIT)])
    )
    load_state(pipeline, copy_of(state_of(pipeline)), strict=True)
    assert fitted_nodes(pipeline) == ("b",)
