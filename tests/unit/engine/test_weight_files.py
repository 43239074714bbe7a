"""Each accepted format is loaded into the right nodes; others are refused with a reason."""

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors

from fleet_engine import build_pipeline
from fleet_engine.weights import (
    WeightsMismatch,
    fitted_nodes,
    load_weights,
    read_weights,
    state_of,
    to_safetensors,
    write_published,
)
from fleet_platform.errors import InvalidInput
from tests.support.scenes.gradient_scene import Training, job_of, write_scene
from tests.support.scenes.pipelines import batch_of, config, fitted_rx, infer, rx_config, rx_nodes

BATCH = batch_of((1, 20, 20, 7), seed=9)
NODES = [one["name"] for one in rx_nodes()]
FITTED = ("MinMaxNormalizer", "RXGlobal", "ScoreToLogit")


@pytest.fixture(scope="module")
def rx():
    return fitted_rx()


def torch_file(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def by_number(pipeline, first=0):
    """The flat state dict of the published trainer: the number of the node, then its key."""
    return OrderedDict(
        (f"pipeline_modules.{number}.{key}", value)
        for number, values in enumerate(state_of(pipeline).values(), first)
        for key, value in values.items()
    )


def by_name(pipeline, prefix="nodes."):
    return {
        f"{prefix}{name}.{key}": value.contiguous()
        for name, values in state_of(pipeline).items()
        for key, value in values.items()
    }


def checkpoint(state_dict):
    """All content of a Lightning checkpoint besides the state dict, as in published files."""
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    return torch_file(
        {
            "epoch": 2,
            "global_step": 6,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": state_dict,
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
            "callbacks": {
                "EarlyStopping{'monitor': 'val/bce', 'mode': 'min'}": {
                    "wait_count": 1,
                    "best_score": torch.tensor(0.7),
                    "stopping_reason_message": None,
                },
                "ModelCheckpoint{'monitor': 'metrics_anomaly/iou'}": {
                    "best_k_models": {"epoch=02.ckpt": torch.tensor(0.02)},
                },
            },
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [{"factor": 0.5, "best": torch.tensor(0.02), "min_lrs": [1e-6]}],
        }
    )


FORMS = {
    "published": lambda pipeline: write_published(pipeline, {"name": "mine"}),
    "published trainer's checkpoint": lambda pipeline: checkpoint(by_number(pipeline)),
    "own checkpoint": lambda pipeline: checkpoint(by_name(pipeline)),
    "artifact": to_safetensors,
    "plain safetensors": lambda pipeline: save_safetensors(by_name(pipeline, "")),
    "torch before 1.6": lambda pipeline: torch_file(
        {"state_dict": state_of(pipeline)}, _use_new_zipfile_serialization=False
    ),
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_each_format_has_the_same_outputs(rx, form, strict):
    other = build_pipeline(rx_config())
    load_weights(other, FORMS[form](rx), strict=strict)
    assert fitted_nodes(other) == FITTED
    wanted = infer(rx, BATCH, "logits")["ScoreToLogit.logits"]
    assert torch.equal(infer(other, BATCH, "logits")["ScoreToLogit.logits"], wanted)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_another_pipeline_names_nodes_keys_and_shapes(form):
    other = build_pipeline(rx_config())
    with pytest.raises(WeightsMismatch) as raised:
        load_weights(other, FORMS[form](fitted_rx(5)), strict=False)
    for word in ("RXGlobal.mu", "[5]", "[7]", "RXGlobal.cov_inv", "[5, 5]", "[7, 7]"):
        assert word in raised.value.text
    assert fitted_nodes(other) == ()


def test_checkpoints_of_a_training_are_read_back(tmp_path):
    callback = {"dirpath": "kept", "monitor": "val/bce", "save_top_k": 1}
    job = job_of(
        write_scene(tmp_path / "scene.npz"), max_epochs=2, callbacks={"checkpoint": callback}
    )
    training = Training(job, tmp_path).run()
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.suffix == ".ckpt"

    other = build_pipeline(training.pipeline.config)
    load_weights(other, kept.read_bytes(), strict=True)

    assert fitted_nodes(other) == FITTED
    for name, values in state_of(training.pipeline).items():
        for key, value in values.items():
            assert torch.equal(state_of(other)[name][key], value)


def test_numbers_of_a_checkpoint_follow_the_order_of_the_nodes(rx):
    state = read_weights(checkpoint(by_number(rx)), NODES).state
    assert {name: sorted(values) for name, values in state.items()} == {
        "MinMaxNormalizer": ["running_max", "running_min"],
        "RXGlobal": ["cov", "cov_inv", "mu"],
        "ScoreToLogit": ["bias", "scale"],
    }


@pytest.mark.parametrize("strict", [True, False])
def test_a_checkpoint_with_more_nodes_than_the_pipeline(rx, strict):
    content = checkpoint(by_number(rx, first=5))
    with pytest.raises(WeightsMismatch, match="node number 8, the pipeline has 8 nodes"):
        load_weights(build_pipeline(rx_config()), content, strict=strict)


def test_a_checkpoint_with_another_node_order_is_refused_by_its_keys(rx):
    content = checkpoint(by_number(rx, first=1))
    with pytest.raises(WeightsMismatch) as raised:
        load_weights(build_pipeline(rx_config()), content, strict=True)
    for word in ("missing MinMaxNormalizer.running_min", "unknown RXGlobal.running_min"):
        assert word in raised.value.text


def test_checkpoint_entries_without_a_node_are_ignored(rx):
    content = checkpoint(by_number(rx) | {"pooled.total": torch.zeros(3), "step": torch.ones(())})
    load_weights(build_pipeline(rx_config()), content, strict=True)


@pytest.mark.parametrize("form", ["published", "artifact"])
def test_a_pipeline_saved_unfitted_is_loaded_unfitted(form):
    other = fitted_rx()
    load_weights(other, FORMS[form](build_pipeline(rx_config())), strict=True)
    assert fitted_nodes(other) == ()


def test_nan_statistics_never_count_as_fitted():
    other = fitted_rx()
    load_weights(other, checkpoint(by_number(build_pipeline(rx_config()))), strict=True)
    assert fitted_nodes(other) == ("RXGlobal", "ScoreToLogit")


@pytest.mark.parametrize("form", FORMS)
def test_some_of_the_nodes_suffice_only_when_not_strict(rx, form):
    part = build_pipeline(config(rx_nodes()[:2]))
    part.nodes["MinMaxNormalizer"].store("running_min", torch.tensor(3.0))
    part.nodes["MinMaxNormalizer"].store("running_max", torch.tensor(9.0))
    part.nodes["MinMaxNormalizer"].fitted = True
    other = build_pipeline(rx_config())
    with pytest.raises(WeightsMismatch, match=r"missing RXGlobal\.mu"):
        load_weights(other, FORMS[form](part), strict=True)
    load_weights(other, FORMS[form](part), strict=False)
    assert fitted_nodes(other) == ("MinMaxNormalizer",)


class Bomb:
    def __reduce__(self):
        return (print, ("the bomb went off",))


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {"RXGlobal": {"mu": Bomb()}}},
        {"state_dict": {"pipeline_modules.2.mu": torch.zeros(7)}, "hyper_parameters": Bomb()},
        Bomb(),
    ],
    ids=["published", "checkpoint", "alone"],
)
@pytest.mark.parametrize(
    "wrap",
    [torch_file, partial(torch_file, _use_new_zipfile_serialization=False), pickle.dumps],
    ids=["torch", "torch before 1.6", "pickle"],
)
def test_a_pickle_that_would_run_code_is_not_read(wrap, content, capsys):
    with pytest.raises(InvalidInput, match=r"run code|damaged"):
        read_weights(wrap(content), NODES)
    assert "bomb" not in capsys.readouterr().out


def truncated():
    return torch_file({"state_dict": {"a": {"b": torch.zeros(100)}}})[:-300]


def zip_of_text():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return buffer.getvalue()


def safetensors_with(header):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello", "damaged"),
        (truncated(), "damaged"),
        (zip_of_text(), "damaged"),
        (b"PK\x03\x04" + bytes(40), "damaged"),
        (pickle.dumps({"state_dict": {}}, protocol=4)[:-4], "damaged"),
        (
            safetensors_with({"a.b": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
            "safe",
        ),
        (safetensors_with({"__metadata__": {"fitted_nodes": "{"}}), "safetensors"),
        (safetensors_with({"__metadata__": {"fitted_nodes": "3"}}), "safetensors"),
        (b"\x02" + bytes(7) + b"{}]", "safetensors"),
    ],
)
def test_damaged_files(content, says):
    with pytest.raises(InvalidInput) as raised:
        read_weights(content, NODES)
    assert says in raised.value.text
    assert ".safetensors" in raised.value.text or "safetensors file" in raised.value.text


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"RXGlobal.mu": torch.zeros(7)}, "flat mapping of tensors (RXGlobal.mu)"),
        ({"weights": {}, "epoch": 3}, "weights, epoch"),
        ({}, "no keys"),
        (torch.zeros(3), "a Tensor"),
        ([torch.zeros(3)], "a list"),
        ({"state_dict": [1]}, "a state_dict that is a list"),
        (
            {"state_dict": {"model.mu": torch.zeros(7)}, "epoch": 3},
            "a state_dict that is a flat mapping of tensors (model.mu)",
        ),
        ({"state_dict": {"nodes.RXGlobal": torch.zeros(7)}}, "(nodes.RXGlobal)"),
        ({"state_dict": {"pipeline_modules.x.mu": torch.zeros(7)}}, "pipeline_modules.x"),
        ({"state_dict": {"nodes.RXGlobal.mu": "many"}}, "nodes.RXGlobal.mu that is a str"),
        ({"state_dict": {"RXGlobal": {"mu": "many"}}}, "RXGlobal.mu that is a str"),
        ({"state_dict": {"RXGlobal": {}, "mu": torch.zeros(7)}}, "a mapping with RXGlobal, mu"),
        (
            {"state_dict": {"RXGlobal": {"mu": torch.eye(7).to_sparse()}}},
            "RXGlobal.mu that is not a dense tensor",
        ),
        (
            {"state_dict": {"RXGlobal": {"mu": torch.zeros(7, device="meta")}}},
            "RXGlobal.mu that is not a dense tensor",
        ),
        (
            {"state_dict": {"nodes.RXGlobal.mu": torch.zeros(7, dtype=torch.complex64)}},
            "nodes.RXGlobal.mu that is not a dense tensor",
        ),
    ],
)
def test_an_unknown_layout_is_described_with_the_expected_ones(content, found):
    with pytest.raises(InvalidInput) as raised:
        read_weights(torch_file(content), NODES)
    assert found in raised.value.text.partition("found: ")[2]
    for form in (".pt", ".ckpt", ".safetensors"):
        assert form in raised.value.text


def test_safetensors_without_a_node_in_the_name():
    with pytest.raises(InvalidInput, match="found: a safetensors file with 'weight'"):
        read_weights(save_safetensors({"weight": torch.zeros(3)}), NODES)


def test_values_are_cast_to_the_pipelines_dtype(rx):
    halves = {key: value.to(torch.bfloat16) for key, value in by_name(rx, "").items()}
    other = build_pipeline(rx_config())
    load_weights(other, save_safetensors(halves), strict=True)
    assert state_of(other)["RXGlobal"]["mu"].dtype == torch.float32
    np.testing.assert_allclose(
        state_of(other)["RXGlobal"]["mu"], state_of(rx)["RXGlobal"]["mu"], rtol=1e-2
    )


def _packed(content):
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for member in archive.infolist():
            other.writestr(member.filename, archive.read(member))
    return packed.getvalue()


def test_an_archive_that_grows_when_it_is_unpacked_is_not_read():
    content = _packed(torch_file({"state_dict": {"RXGlobal": {"mu": torch.zeros(2**20)}}}))
    assert len(content) < 2**16
    with pytest.raises(InvalidInput, match=f"unpacks from {len(content)} to 41.* not compressed"):
        read_weights(content, NODES)


def test_repeated_values_of_a_large_tensor_are_not_read():
    content = torch_file({"state_dict": {"RXGlobal": {"mu": torch.zeros(1).expand(2**40)}}})
    with pytest.raises(
        InvalidInput, match=r"found: RXGlobal.mu of 1099511627776 values in 4 bytes"
    ):
        read_weights(content, NODES)


def test_a_part_of_a_larger_storage_is_read():
    content = torch_file({"state_dict": {"RXGlobal": {"mu": torch.arange(9.0)[2:5]}}})
    assert read_weights(content, NODES).state["RXGlobal"]["mu"].tolist() == [2, 3, 4]
