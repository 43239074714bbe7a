"""A day's work with the messages of published releases, held against a float64 reference."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.rx_reference import RxReference
from tests.peers.environment import peer_environment

pytestmark = [pytest.mark.e2e, pytest.mark.peers, pytest.mark.timeout(900)]

DAY = Path(__file__).with_name("clients") / "day.py"
TRAIN_IDS = [0, 2, 3]
FITTED = ["MinMaxNormalizer", "RXGlobal", "ScoreToLogit"]
OUTPUT_KEYS = {
    "LentilsAnomalyDataNode.cube",
    "LentilsAnomalyDataNode.wavelengths",
    "MinMaxNormalizer.normalized",
    "RXGlobal.scores",
    "ScoreToLogit.logits",
    "BinaryDecider.decisions",
}


@pytest.fixture(scope="module", params=["0.2.0", "0.14.2"])
def release(request):
    return request.param


@pytest.fixture(scope="module")
def day(release, stack, data_dir, tmp_path_factory):
    """Folder with what the release's client was told."""
    folder = tmp_path_factory.mktemp(f"day-{release}")
    python = peer_environment(f"schemas-{release}")
    subprocess.run(
        [python, "-W", "error", DAY, stack.address, data_dir / "scene.npz", folder],
        check=True,
        timeout=120,
        env={"PATH": os.environ["PATH"]},
    )
    return folder


@pytest.fixture(scope="module")
def facts(day):
    return json.loads((day / "facts.json").read_text(encoding="utf-8"))


def _arrays(path):
    with np.load(path) as stored:
        return dict(stored)


def test_outputs_match_the_float64_reference(day, scene):
    outputs = _arrays(day / "all.npz")
    assert set(outputs) == OUTPUT_KEYS
    reference = RxReference.fit(scene.cubes[TRAIN_IDS])
    ports = {key.partition(".")[2]: array for key, array in outputs.items()}
    reference.assert_matches(ports, scene.cubes[1:2])
    np.testing.assert_array_equal(ports["wavelengths"], scene.wavelengths_nm)


def test_the_filter_leaves_only_what_was_asked_for(day):
    everything, filtered = _arrays(day / "all.npz"), _arrays(day / "decisions.npz")
    assert set(filtered) == {"BinaryDecider.decisions"}
    np.testing.assert_array_equal(
        filtered["BinaryDecider.decisions"], everything["BinaryDecider.decisions"]
    )


def test_reloaded_in_another_session_the_outputs_are_bit_identical(day):
    first, reloaded = _arrays(day / "all.npz"), _arrays(day / "reloaded.npz")
    assert set(reloaded) == set(first)
    for key, array in first.items():
        assert array.tobytes() == reloaded[key].tobytes(), key


def test_training_streams_one_beginning_and_one_end(facts):
    statuses = [message["status"] for message in facts["progress"]]
    assert statuses[-1] == "TRAIN_STATUS_COMPLETE"
    assert set(statuses[:-1]) == {"TRAIN_STATUS_RUNNING"}
    first, last = facts["progress"][0], facts["progress"][-1]
    assert first["message"] == "Starting statistical training"
    assert last["message"].startswith("Statistical training complete")
    assert first["stage"] == last["stage"] == "EXECUTION_STAGE_TRAIN"
    assert facts["status"] == "TRAIN_STATUS_COMPLETE"


def test_events_tell_which_node_is_fitted(facts, release):
    events = [message for message in facts["progress"] if "hook" in message]
    if release == "0.2.0":
        assert events == [], "this release cannot read events"
        return
    for hook in ("TRAIN_HOOK_STATISTICAL_NODE_START", "TRAIN_HOOK_STATISTICAL_NODE_END"):
        nodes = [event["node"] for event in events if event["hook"] == hook]
        assert nodes == FITTED, hook
    for node in FITTED:
        counted = [event for event in events if event["node"] == node]
        assert counted[0]["done"] == 0
        assert counted[-1]["done"] == counted[-1]["total"] == len(TRAIN_IDS)
        assert [each["done"] for each in counted] == sorted(each["done"] for each in counted)


def test_overrides_reach_the_resolved_trainrun(facts):
    trainrun = facts["trainrun"]
    assert trainrun["data"]["batch_size"] == 4
    assert trainrun["data"]["train_ids"] == TRAIN_IDS
    assert trainrun["training"]["seed"] == 123
    assert trainrun["pipeline"]["metadata"]["name"]


def test_folders_of_another_host_come_back_as_sent(facts):
    assert facts["rejected_paths"] == [
        "/on/another/host/configs",
        "/on/another/host/configs/trainrun",
    ]


def test_saved_files_lie_where_the_reply_says(facts, stack):
    pipeline, weights = map(Path, facts["saved"])
    assert pipeline.is_file()
    assert weights.is_file()
    assert pipeline.parent == weights.parent
    assert (pipeline.suffix, weights.suffix) == (".yaml", ".pt")
    assert pipeline.stem == weights.stem
    assert facts["loaded_name"] == "day"


def test_a_closed_session_is_not_found(facts):
    assert facts["closed"] == [True, True]
    code, text = facts["after_close"]
    assert code == "NOT_FOUND"
    assert "session" in text.lower()
