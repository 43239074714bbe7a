"""Splits in a separate file, as wizards of the newer generation write them."""

import json

import pytest

from fleet_schemas import DataConfig, parse_config
from tests.support.training_client import read


def selector(*ids):
    return [{"kind": "file_indices", "source": "scene.npz", "ids": list(ids)}]


def apply(client, splits_path):
    splits = {"train": selector(0), "splits_path": splits_path}
    params = {"cu3s_file_path": "scene.npz"}
    client.apply(data={"data_module": "cu3s", "params": params, "splits": splits})


@pytest.fixture
def splits_json(folder):
    path = folder / "data" / "splits.json"
    path.write_text(json.dumps({"train": selector("1-2")}), encoding="utf-8")
    return path


@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_training_reads_the_measurements_that_the_file_selects(client, splits_json, is_absolute):
    sent = str(splits_json) if is_absolute else splits_json.name
    apply(client, sent)

    assert read(client.train())[1] is None

    data = parse_config(DataConfig, client.run.data_config_json, "data")
    assert data.train_ids == [1, 2]
    assert data.splits.splits_path == sent


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (None, "NOT_FOUND", "splits.json"),
        ("[1, 2]", "INVALID_ARGUMENT", "splits 'splits.json'"),
        ('{"train": [{"kind": "some"}]}', "INVALID_ARGUMENT", "splits 'splits.json'.train.0.kind"),
    ],
)
def test_a_file_without_splits_is_refused(client, splits_json, content, code, text):
    if content is None:
        splits_json.unlink()
    else:
        splits_json.write_text(content, encoding="utf-8")
    apply(client, splits_json.name)

    messages, error = read(client.train())

    assert messages == []
    assert error.code().name == code
    assert text in error.details()
