"""Workflows with the messages of published releases, compared with a float64 reference."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes.rx_reference import RxReference

pytestmark = [pytest.mark.e2e, pytest.mark.published]

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


def test_the_pipeline_of_the_day_is_discovered(workflow):
    found = workflow.facts["discovery"]
    assert found["names"] == {
        "anomaly/rx/channel_selector.yaml": "Channel_Selector",
        "anomaly/rx/rx_statistical.yaml": "RX_Statistical",
        "channel_selector.yaml": "Channel_Selector",
        "rx_statistical.yaml": "RX_Statistical",
    }
    assert found["title"] == found["names"][found["found"]]
    assert {"pipeline", "data", "training"} <= set(found["schema"])
    assert "adamw" in found["optimizers"]


def test_overrides_reach_the_resolved_trainrun(workflow):
    resolved = workflow.facts["resolved"]
    assert (resolved["batch_size"], resolved["seed"], resolved["max_epochs"]) == (4, 123, 3)
    if workflow.release.is_flat:
        assert resolved["pipeline"] == "../pipeline/rx_statistical.yaml"
        assert resolved["train_ids"] == [0, "2-3"]
    else:
        assert resolved["title"] == "RX_Statistical"
        assert resolved["train_ids"] == TRAIN_IDS


def test_nothing_is_wrong_with_what_the_models_of_the_release_make(workflow):
    assert workflow.facts["errors"] == {"trainrun": [], "pipeline": [], "training": []}


def test_folders_of_another_host_come_back_as_sent(workflow):
    if workflow.release.version in {"0.2.0", "0.14.2"}:
        assert "rejected_paths" not in workflow.facts, "the helpers check the reply alone"
        return
    assert workflow.facts["rejected_paths"] == [
        "/on/another/host/configs",
        "/on/another/host/configs/trainrun",
    ]


def test_training_streams_one_beginning_and_one_end(workflow):
    progress = workflow.facts["progress"]
    statuses = [message["status"] for message in progress]
    assert statuses[-1] == "TRAIN_STATUS_COMPLETE"
    assert set(statuses[:-1]) == {"TRAIN_STATUS_RUNNING"}
    first, last = progress[0], progress[-1]
    assert first["message"] == "Starting statistical training"
    assert last["message"].startswith("Statistical training complete")
    assert first["stage"] == last["stage"] == "EXECUTION_STAGE_TRAIN"
    assert workflow.facts["progress_status"] == "TRAIN_STATUS_COMPLETE"


def test_events_tell_which_node_is_fitted(workflow):
    events = [message for message in workflow.facts["progress"] if "hook" in message]
    if workflow.release.version != "0.14.2":
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


def test_outputs_match_the_float64_reference(workflow, scene):
    outputs = workflow.arrays("all")
    assert set(outputs) == OUTPUT_KEYS
    reference = RxReference.fit(scene.cubes[TRAIN_IDS])
    ports = {key.partition(".")[2]: array for key, array in outputs.items()}
    reference.assert_matches(ports, scene.cubes[1:2])
    np.testing.assert_array_equal(ports["wavelengths"], scene.wavelengths_nm)


def test_the_filter_leaves_only_what_was_asked_for(workflow):
    everything, filtered = workflow.arrays("all"), workflow.arrays("decisions")
    assert set(filtered) == {"BinaryDecider.decisions"}
    np.testing.assert_array_equal(
        filtered["BinaryDecider.decisions"], everything["BinaryDecider.decisions"]
    )


@pytest.mark.parametrize("way", ["reloaded", "restored"])
def test_in_another_session_the_outputs_are_bit_identical(workflow, way):
    first, again = workflow.arrays("all"), workflow.arrays(way)
    assert set(again) == set(first)
    for key, array in first.items():
        assert array.tobytes() == again[key].tobytes(), key


def test_what_goes_in_and_comes_out_is_told(workflow):
    inside = workflow.facts["inside"]
    assert inside["inputs"]["cube"] == [-1, -1, -1, -1]
    assert "LentilsAnomalyDataNode.wavelengths" in inside["outputs"]
    assert inside["figure"].startswith("flowchart")
    assert all(node in inside["figure"] for node in FITTED)


def test_saved_files_lie_where_the_reply_says(workflow):
    pipeline, weights = map(Path, workflow.facts["saved"])
    assert pipeline.is_file()
    assert weights.is_file()
    assert pipeline.parent == weights.parent
    assert (pipeline.suffix, weights.suffix) == (".yaml", ".pt")
    assert pipeline.stem == weights.stem


def test_saved_files_have_the_form_that_the_models_of_the_release_read(workflow):
    trainrun, pipeline, weights = workflow.facts["saved_trainrun"]
    assert Path(trainrun).is_file()
    assert Path(weights).is_file()
    written = workflow.facts["written"]
    assert written["seed"] == workflow.facts["restored"] == 123
    if workflow.release.is_flat:
        assert written["pipeline"] == Path(pipeline).name
        assert written["train_ids"] == [0, "2-3"]
        assert written["titles"] == ["day", "RX_Statistical"]
        # The field came with 0.9.0; before, a trainrun is always restored into a new session.
        assert workflow.facts["restored_into"] == (workflow.release.number >= (0, 9))
    else:
        assert pipeline == "", "the pipeline is inline"
        assert (written["title"], written["pipeline"]) == ("RX_Statistical", "day")


def test_a_closed_session_is_not_found(workflow):
    assert workflow.facts["closed"]
    assert all(workflow.facts["closed"])
    code, text = workflow.facts["after_close"]
    assert code == "NOT_FOUND"
    assert "session" in text.lower()
