import json

import numpy as np
import pytest
import torch

from fleet_platform.errors import Exhausted
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig, canonical_json, parse_config
from fleet_trainer.worker import checkpoints
from fleet_trainer.worker.messages import Finished
from tests.support.scenes.gradient_scene import (
    TEST,
    TRAIN,
    VAL,
    pipeline_config,
    training,
    write_scene,
)
from tests.unit.trainer.worker_harness import WorkerHarness

EPOCHS = 4
LISTS = {
    "loss_nodes": ["bce"],
    "metric_nodes": ["metrics_anomaly"],
    "unfreeze_nodes": ["RXGlobal", "ScoreToLogit"],
}


class _GradientHarness(WorkerHarness):
    def __init__(self, folder):
        super().__init__(folder, pipeline_config())
        write_scene(folder / "scene.npz")

    def request(self, kind=pb.TRAINER_TYPE_GRADIENT, *, data=None, lists=None, **changes):
        fields = {"cu3s_file_path": "scene.npz", "batch_size": 2}
        fields |= {"train_ids": TRAIN, "val_ids": VAL, "test_ids": TEST} | (data or {})
        trainrun = {"name": "run", "data": {"cu3s_file_path": "scene.npz"}} | LISTS | (lists or {})
        return self.create(
            kind,
            DataConfig(**fields),
            canonical_json(training(**changes)),
            json.dumps(trainrun).encode(),
        )


@pytest.fixture
def harness(tmp_path):
    return _GradientHarness(tmp_path)


class _Killed(BaseException):
    """The process dies here: nothing after this point is executed."""


def _die_after_checkpoint(monkeypatch, number):
    """Make the worker die right after its checkpoint of this number."""
    save, saved = checkpoints.Checkpoints.save, []

    def save_and_die(self, checkpoint):
        save(self, checkpoint)
        saved.append(checkpoint)
        if len(saved) == number:
            raise _Killed

    monkeypatch.setattr(checkpoints.Checkpoints, "save", save_and_die)


def _interrupt(harness, run_id, monkeypatch, number):
    with monkeypatch.context() as patch:
        _die_after_checkpoint(patch, number)
        with pytest.raises(_Killed):
            harness.execute(run_id)
    token = harness.run(run_id).fencing_token
    assert harness.runs.release(run_id, token, died=True)


def test_a_gradient_run_reports_every_step_and_publishes_its_result(harness):
    run_id = harness.request()

    assert harness.execute(run_id) == Finished(is_spent=False)

    messages = harness.messages(run_id)
    texts = [message.message for message in messages]
    hooks = [
        pb.TrainHook.Name(message.event.hook).removeprefix("TRAIN_HOOK_") for message in messages
    ]
    assert texts[0] == "Gradient training"
    assert texts.index("Fitted RXGlobal") < hooks.index("FIT_START")
    assert hooks.count("EPOCH_START") == hooks.count("EPOCH_END") == EPOCHS
    assert hooks.count("VALIDATION_END") == EPOCHS
    assert [hook for hook in hooks[hooks.index("FIT_END") :] if not hook.endswith("PROGRESS")] == [
        "FIT_END",
        "CHECKPOINT_RESTORED",
        "CALIBRATION_START",
        "CALIBRATION_END",
        "EVALUATION_START",
        "EVALUATION_END",
        "EVALUATION_START",
        "EVALUATION_END",
        "POST_FIT_END",
        "UNSPECIFIED",
    ]
    assert [message.status for message in messages].count(pb.TRAIN_STATUS_COMPLETE) == 1
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert texts[-1].startswith("Gradient training complete; thresholds calibrated on val: Binary")
    assert (messages[-1].context.epoch, messages[-1].context.global_step) == (EPOCHS, 12)
    assert harness.run(run_id).result == harness.published(run_id)


def test_a_calibrated_threshold_is_in_the_published_configuration(harness):
    run_id = harness.request()
    harness.execute(run_id)

    published = harness.published(run_id)
    config = parse_config(PipelineConfig, published.config_json, "pipeline")
    threshold = next(n.hparams["threshold"] for n in config.nodes if n.name == "BinaryDecider")
    outcome = next(
        message.event.calibration
        for message in harness.messages(run_id)
        if message.event.HasField("calibration")
    )
    assert threshold != 0.5
    assert outcome.deciders[0].thresholds["threshold"].after == pytest.approx(threshold)
    assert published.config_digest != harness.pipeline.config_digest
    assert harness.state(run_id).keys()


def test_the_same_request_twice_gives_the_same_artifact(harness):
    first, second = harness.request(), harness.request()
    harness.execute(first)
    harness.execute(second)

    assert harness.published(first) == harness.published(second)


@pytest.mark.parametrize("number", range(1, EPOCHS + 2))
def test_a_run_that_was_interrupted_at_any_checkpoint_ends_with_the_same_bits(
    harness, monkeypatch, number
):
    whole = harness.request()
    harness.execute(whole)
    interrupted = harness.request()
    _interrupt(harness, interrupted, monkeypatch, number)

    assert harness.execute(interrupted) == Finished(is_spent=False)

    assert harness.published(interrupted) == harness.published(whole)
    texts = harness.texts(interrupted)
    assert texts.count(f"Resumed from epoch {number - 1}") == 1
    statuses = [message.status for message in harness.messages(interrupted)]
    assert statuses.count(pb.TRAIN_STATUS_COMPLETE) == 1
    resumed = texts[texts.index(f"Resumed from epoch {number - 1}") :]
    assert "Fitted RXGlobal" not in resumed, "fitted nodes are not fitted again"
    epochs = [text for text in resumed if text.startswith("Epoch ")]
    assert epochs == [f"Epoch {n}/{EPOCHS} complete" for n in range(number, EPOCHS + 1)]


def test_a_run_interrupted_before_any_checkpoint_starts_again(harness, monkeypatch):
    run_id = harness.request()
    harness.runs.release(run_id, harness.runs.claim(run_id, "dead").fencing_token, died=True)

    harness.execute(run_id)

    assert harness.texts(run_id)[0] == "Started again"
    assert harness.run(run_id).state == records.RUN_STATE_COMPLETE


def test_checkpoints_are_deleted(harness):
    run_id = harness.request()
    harness.execute(run_id)

    start, end = harness.artifacts._contents, harness.published(run_id).weights_digest
    assert end in start
    assert not any(content.startswith(b'{"epoch"') for content in start.values())


def test_a_stopped_run_publishes_the_weights_of_the_last_step(harness, monkeypatch):
    run_id = harness.request(max_epochs=500)
    save = checkpoints.Checkpoints.save

    def save_and_stop(self, checkpoint):
        save(self, checkpoint)
        if checkpoint.epoch == 2:
            harness.runs.request_stop(run_id)

    monkeypatch.setattr(checkpoints.Checkpoints, "save", save_and_stop)

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    last = harness.messages(run_id)[-1]
    assert (run.state, last.status) == (
        records.RUN_STATE_CANCELLED,
        pb.TRAIN_STATUS_CANCELLED,
    )
    assert "last completed step" in last.message
    assert harness.published(run_id).weights_digest == run.result_weights_digest != ""


def _full_from(monkeypatch, harness, number):
    put, puts = harness.artifacts.put, []

    def full(content):
        if content[:8] == b'{"epoch"':
            puts.append(1)
            if len(puts) >= number:
                raise Exhausted("The artifact volume is full; free some space and try again.")
        return put(content)

    monkeypatch.setattr(harness.artifacts, "put", full)


def test_a_volume_that_fills_up_ends_the_run_with_the_weights_of_the_last_epoch(
    harness, monkeypatch
):
    short = harness.request(max_epochs=2, data={"val_ids": [], "test_ids": []}, scheduler=None)
    harness.execute(short)
    run_id = harness.request(max_epochs=9, data={"val_ids": [], "test_ids": []}, scheduler=None)
    _full_from(monkeypatch, harness, 4)  # the fitted state, two epochs, and the third

    assert harness.execute(run_id) == Finished(is_spent=True)

    run = harness.run(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, "EXHAUSTED")
    assert "volume is full" in run.error_text
    assert "weights of the last whole epoch" in run.error_text
    assert harness.messages(run_id)[-1].message == run.error_text
    assert harness.published(run_id).weights_digest == run.result_weights_digest != ""


def test_a_failure_before_the_first_epoch_leaves_the_session_unchanged(harness, monkeypatch):
    run_id = harness.request()
    _full_from(monkeypatch, harness, 1)

    harness.execute(run_id)

    assert harness.run(run_id).error_reason == "EXHAUSTED"
    assert harness.published(run_id) == harness.pipeline


def test_running_out_of_device_memory_is_exhausted_and_spends_the_worker(harness, monkeypatch):
    from fleet_trainer.training import gradient

    def run_out_of_memory(*_args, **_parts):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gradient, "train_gradient", run_out_of_memory)
    run_id = harness.request()

    assert harness.execute(run_id) == Finished(is_spent=True)

    assert harness.run(run_id).error_reason == "EXHAUSTED"
    assert "batch_size" in harness.messages(run_id)[-1].message


def test_data_that_are_not_finite_fail_the_run(harness, tmp_path):
    with np.load(tmp_path / "scene.npz") as scene:
        arrays = dict(scene)
    arrays["cube"][3, 0, 0, 0] = np.nan
    np.savez(tmp_path / "scene.npz", **arrays)
    run_id = harness.request()

    assert harness.execute(run_id) == Finished(is_spent=False)

    run = harness.run(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, "INVALID_INPUT")
    assert harness.messages(run_id)[-1].status == pb.TRAIN_STATUS_ERROR
    assert harness.published(run_id) == harness.pipeline


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"lists": {"unfreeze_nodes": []}}, "Nothing is trainable"),
        ({"data": {"train_ids": [99]}}, "measurement 99"),
        ({"data": {"val_ids": [99]}}, "measurement 99"),
        ({"devices": "many"}, "training.devices 'many'"),
        ({"scheduler": {"name": "plateau", "monitor": "val/none"}}, "val/none"),
    ],
)
def test_wrong_settings_are_errors_of_the_caller(harness, request_, text):
    run_id = harness.request(**request_)

    assert harness.execute(run_id) == Finished(is_spent=False)

    assert harness.run(run_id).error_reason == "INVALID_INPUT"
    assert text in harness.messages(run_id)[-1].message


def test_a_calibration_changes_only_thresholds(harness):
    trained = harness.request(data={"val_ids": [], "test_ids": []}, scheduler=None)
    harness.execute(trained)
    harness.pipeline = harness.published(trained)
    run_id = harness.request(pb.TRAINER_TYPE_CALIBRATION)

    assert harness.execute(run_id) == Finished(is_spent=False)

    texts = harness.texts(run_id)
    assert texts[0] == "Starting calibration"
    assert texts[-1].startswith("Calibration complete; thresholds calibrated on val: BinaryDecider")
    assert harness.published(run_id).weights_digest == harness.pipeline.weights_digest
    assert harness.published(run_id).config_digest != harness.pipeline.config_digest


def test_a_calibration_without_labels_reports_the_reason(harness, tmp_path):
    trained = harness.request(data={"val_ids": [], "test_ids": []}, scheduler=None)
    harness.execute(trained)
    harness.pipeline = harness.published(trained)
    with np.load(tmp_path / "scene.npz") as scene:
        arrays = {key: scene[key] for key in scene.files if key != "mask"}
    np.savez(tmp_path / "scene.npz", **arrays)
    run_id = harness.request(pb.TRAINER_TYPE_CALIBRATION)

    harness.execute(run_id)

    assert "no threshold was changed" in harness.texts(run_id)[-1]
    assert harness.published(run_id) == harness.pipeline
