import numpy as np
import pytest
import torch

from fleet_platform.errors import Exhausted
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, parse_config
from fleet_trainer.worker import checkpoints
from fleet_trainer.worker.messages import ChildReply
from tests.unit.trainer.gradient_world import GradientWorld

EPOCHS = 4


@pytest.fixture
def world(tmp_path):
    return GradientWorld(tmp_path)


class _Killed(BaseException):
    """The process ends here: nothing that comes after in it is done."""


def _die_after_checkpoint(monkeypatch, number):
    """Let the worker break off for good right after its checkpoint of this number."""
    save, saved = checkpoints.Checkpoints.save, []

    def save_and_die(self, checkpoint):
        save(self, checkpoint)
        saved.append(checkpoint)
        if len(saved) == number:
            raise _Killed

    monkeypatch.setattr(checkpoints.Checkpoints, "save", save_and_die)


def _interrupt(world, run_id, monkeypatch, number):
    with monkeypatch.context() as patch:
        _die_after_checkpoint(patch, number)
        with pytest.raises(_Killed):
            world.execute(run_id)
    token = world.run(run_id).fencing_token
    assert world.runs.release(run_id, token, died=True)


def test_a_gradient_run_tells_all_of_it_and_ends_in_the_session(world):
    run_id = world.request()

    assert world.execute(run_id) is ChildReply.DONE

    messages = world.messages(run_id)
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
    assert world.run(run_id).result == world.published(run_id)


def test_a_calibrated_threshold_is_in_the_published_configuration(world):
    run_id = world.request()
    world.execute(run_id)

    published = world.published(run_id)
    config = parse_config(PipelineConfig, published.config_json, "pipeline")
    threshold = next(n.hparams["threshold"] for n in config.nodes if n.name == "BinaryDecider")
    outcome = next(
        message.event.calibration
        for message in world.messages(run_id)
        if message.event.HasField("calibration")
    )
    assert threshold != 0.5
    assert outcome.deciders[0].thresholds["threshold"].after == pytest.approx(threshold)
    assert published.config_digest != world.pipeline.config_digest
    assert world.state(run_id).keys()


def test_the_same_request_twice_gives_the_same_artifact(world):
    first, second = world.request(), world.request()
    world.execute(first)
    world.execute(second)

    assert world.published(first) == world.published(second)


@pytest.mark.parametrize("number", range(1, EPOCHS + 2))
def test_a_run_that_died_at_any_checkpoint_ends_with_the_same_bits(world, monkeypatch, number):
    whole = world.request()
    world.execute(whole)
    interrupted = world.request()
    _interrupt(world, interrupted, monkeypatch, number)

    assert world.execute(interrupted) is ChildReply.DONE

    assert world.published(interrupted) == world.published(whole)
    texts = world.texts(interrupted)
    assert texts.count(f"Resumed from epoch {number - 1}") == 1
    statuses = [message.status for message in world.messages(interrupted)]
    assert statuses.count(pb.TRAIN_STATUS_COMPLETE) == 1
    resumed = texts[texts.index(f"Resumed from epoch {number - 1}") :]
    assert "Fitted RXGlobal" not in resumed, "what was fitted is not fitted again"
    epochs = [text for text in resumed if text.startswith("Epoch ")]
    assert epochs == [f"Epoch {n}/{EPOCHS} complete" for n in range(number, EPOCHS + 1)]


def test_a_run_that_died_before_any_checkpoint_starts_again(world, monkeypatch):
    run_id = world.request()
    world.runs.release(run_id, world.runs.claim(run_id, "dead").fencing_token, died=True)

    world.execute(run_id)

    assert world.texts(run_id)[0] == "Started again"
    assert world.run(run_id).state == records.RUN_STATE_COMPLETE


def test_no_checkpoint_is_left_behind(world):
    run_id = world.request()
    world.execute(run_id)

    start, end = world.artifacts._contents, world.published(run_id).weights_digest
    assert end in start
    assert not any(content.startswith(b'{"epoch"') for content in start.values())


def test_a_stop_keeps_the_weights_of_the_last_step(world, monkeypatch):
    run_id = world.request(max_epochs=500)
    save = checkpoints.Checkpoints.save

    def save_and_stop(self, checkpoint):
        save(self, checkpoint)
        if checkpoint.epoch == 2:
            world.runs.request_stop(run_id)

    monkeypatch.setattr(checkpoints.Checkpoints, "save", save_and_stop)

    assert world.execute(run_id) is ChildReply.DONE

    run = world.run(run_id)
    last = world.messages(run_id)[-1]
    assert (run.state, last.status) == (
        records.RUN_STATE_CANCELLED,
        pb.TRAIN_STATUS_CANCELLED,
    )
    assert "last completed step" in last.message
    assert world.published(run_id).weights_digest == run.result_weights_digest != ""


def _full_from(monkeypatch, world, number):
    put, puts = world.artifacts.put, []

    def full(content):
        if content[:8] == b'{"epoch"':
            puts.append(1)
            if len(puts) >= number:
                raise Exhausted("The artifact volume is full; free some space and try again.")
        return put(content)

    monkeypatch.setattr(world.artifacts, "put", full)


def test_a_volume_that_fills_up_ends_the_run_with_the_weights_of_the_last_epoch(world, monkeypatch):
    short = world.request(max_epochs=2, data={"val_ids": [], "test_ids": []}, scheduler=None)
    world.execute(short)
    run_id = world.request(max_epochs=9, data={"val_ids": [], "test_ids": []}, scheduler=None)
    _full_from(monkeypatch, world, 4)  # what was fitted, two epochs, and the third

    assert world.execute(run_id) is ChildReply.SPENT

    run = world.run(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, "EXHAUSTED")
    assert "volume is full" in run.error_text
    assert "weights of the last whole epoch" in run.error_text
    assert world.messages(run_id)[-1].message == run.error_text
    assert world.published(run_id).weights_digest == run.result_weights_digest != ""


def test_a_failure_before_any_epoch_leaves_the_session_as_it_was(world, monkeypatch):
    run_id = world.request()
    _full_from(monkeypatch, world, 1)

    world.execute(run_id)

    assert world.run(run_id).error_reason == "EXHAUSTED"
    assert world.published(run_id) == world.pipeline


def test_running_out_of_device_memory_is_exhausted_and_replaces_the_child(world, monkeypatch):
    from fleet_trainer.training import gradient

    def burst(*_args, **_parts):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gradient, "train_gradient", burst)
    run_id = world.request()

    assert world.execute(run_id) is ChildReply.SPENT

    assert world.run(run_id).error_reason == "EXHAUSTED"
    assert "batch_size" in world.messages(run_id)[-1].message


def test_data_that_are_not_finite_are_named_and_end_the_run(world, tmp_path):
    with np.load(tmp_path / "scene.npz") as scene:
        arrays = dict(scene)
    arrays["cube"][3, 0, 0, 0] = np.nan
    np.savez(tmp_path / "scene.npz", **arrays)
    run_id = world.request()

    assert world.execute(run_id) is ChildReply.DONE

    run = world.run(run_id)
    assert (run.state, run.error_reason) == (records.RUN_STATE_FAILED, "INVALID_INPUT")
    assert world.messages(run_id)[-1].status == pb.TRAIN_STATUS_ERROR
    assert world.published(run_id) == world.pipeline


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
def test_settings_that_do_not_fit_are_told_as_the_callers(world, request_, text):
    run_id = world.request(**request_)

    assert world.execute(run_id) is ChildReply.DONE

    assert world.run(run_id).error_reason == "INVALID_INPUT"
    assert text in world.messages(run_id)[-1].message


def test_a_calibration_changes_thresholds_and_nothing_else(world):
    trained = world.request(data={"val_ids": [], "test_ids": []}, scheduler=None)
    world.execute(trained)
    world.pipeline = world.published(trained)
    run_id = world.request(pb.TRAINER_TYPE_CALIBRATION)

    assert world.execute(run_id) is ChildReply.DONE

    texts = world.texts(run_id)
    assert texts[0] == "Starting calibration"
    assert texts[-1].startswith("Calibration complete; thresholds calibrated on val: BinaryDecider")
    assert world.published(run_id).weights_digest == world.pipeline.weights_digest
    assert world.published(run_id).config_digest != world.pipeline.config_digest


def test_a_calibration_that_cannot_be_says_why(world, tmp_path):
    trained = world.request(data={"val_ids": [], "test_ids": []}, scheduler=None)
    world.execute(trained)
    world.pipeline = world.published(trained)
    with np.load(tmp_path / "scene.npz") as scene:
        arrays = {key: scene[key] for key in scene.files if key != "mask"}
    np.savez(tmp_path / "scene.npz", **arrays)
    run_id = world.request(pb.TRAINER_TYPE_CALIBRATION)

    world.execute(run_id)

    assert "no threshold was changed" in world.texts(run_id)[-1]
    assert world.published(run_id) == world.pipeline
