"""Gradient training: weights, events and refused settings."""

import itertools

import numpy as np
import pytest
import torch

from fleet_engine import Stage, build_pipeline
from fleet_engine.training import Hook
from fleet_engine.training.gradient.epoch_batches import EpochBatches
from fleet_engine.weights import load_state, state_of
from fleet_platform.errors import Cancelled, InvalidInput
from tests.support.scenes.gradient_scene import (
    CHANNELS,
    TRAIN,
    Training,
    fitted,
    job_of,
    pipeline_config,
    write_scene,
)

CHECKPOINT = {"dirpath": "best", "monitor": "val/bce", "mode": "min", "save_top_k": 1}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene") / "scene.npz")


def hooks(events):
    """Return the hooks in order, without consecutive duplicates."""
    return [hook for hook, _ in itertools.groupby(event.hook for event in events)]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_the_loss_falls_and_only_unfrozen_nodes_change(scene, tmp_path):
    training = Training(job_of(scene, max_epochs=6), tmp_path)
    before = training.state()
    training.run()
    after = training.state()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    # The scores use the cached inverse, so gradients only reach that.
    assert changed == {"RXGlobal.mu", "RXGlobal.cov_inv", "ScoreToLogit.scale", "ScoreToLogit.bias"}
    losses = [e.losses["val_loss"] for e in training.events if e.hook is Hook.VALIDATION_END]
    assert losses[-1] < losses[0] / 2


def test_frozen_nodes_do_not_change(scene, tmp_path):
    job = job_of(scene, freeze_nodes=("ScoreToLogit",), unfreeze_nodes=("RXGlobal",))
    training = Training(job, tmp_path)
    training.pipeline.nodes["ScoreToLogit"].unfreeze()
    before = training.state()
    after = training.run().state()
    assert torch.equal(before["ScoreToLogit.bias"], after["ScoreToLogit.bias"])
    assert not torch.equal(before["RXGlobal.mu"], after["RXGlobal.mu"])


def test_the_same_job_gives_the_same_weights(scene, tmp_path):
    first = Training(job_of(scene), tmp_path).run().state()
    torch.rand(7)
    assert same(first, Training(job_of(scene), tmp_path).run().state())
    assert not same(first, Training(job_of(scene, seed=4), tmp_path).run().state())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scheduler": {"name": "cosine", "warmup_epochs": 2}},
        {"scheduler": {"name": "step", "step_size": 2}, "accumulate_grad_batches": 2},
        {"optimizer": {"name": "sgd", "lr": 0.01}, "check_val_every_n_epoch": 2},
        {"callbacks": {"checkpoint": CHECKPOINT, "learning_rate_monitor": {}}},
        {
            "max_epochs": 9,
            "callbacks": {
                "early_stopping": [{"monitor": "val/bce", "min_delta": 1.0, "patience": 2}]
            },
        },
    ],
    ids=["plateau", "warm-up", "accumulate", "sgd", "checkpoint", "early-stop"],
)
def test_a_training_resumed_after_any_epoch_has_the_same_result(scene, tmp_path, settings):
    whole = Training(job_of(scene, **settings), tmp_path).run()
    for number, checkpoint in enumerate(whole.checkpoints):
        again = Training(job_of(scene, **settings), tmp_path)
        torch.rand(number)
        again.run(resume=checkpoint)
        assert same(whole.state(), again.state())
        assert len(again.checkpoints) == len(whole.checkpoints) - number - 1
        told = [e for e in whole.events if e.epoch > number and e.hook is Hook.TRAIN_PROGRESS]
        assert [e for e in again.events if e.hook is Hook.TRAIN_PROGRESS] == told


def test_events_have_epochs_batches_and_counts(scene, tmp_path):
    training = Training(job_of(scene, max_epochs=2), tmp_path).run()
    epoch = [
        Hook.EPOCH_START,
        Hook.TRAIN_PROGRESS,
        Hook.VALIDATION_START,
        Hook.VALIDATION_PROGRESS,
        Hook.VALIDATION_END,
        Hook.EPOCH_END,
    ]
    ending = [Hook.FIT_END, Hook.CHECKPOINT_RESTORED]
    assert hooks(training.events) == [Hook.FIT_START, *epoch, *epoch, *ending]
    batches = [e for e in training.events if e.hook is Hook.TRAIN_PROGRESS]
    assert [(e.epoch, e.batch_idx, e.global_step, e.done) for e in batches] == [
        (0, 0, 1, 2),
        (0, 1, 2, 4),
        (0, 2, 3, 5),
        (1, 0, 4, 2),
        (1, 1, 5, 4),
        (1, 2, 6, 5),
    ]
    assert {(e.total, e.epochs, e.stage) for e in batches} == {(5, 2, Stage.TRAIN)}
    assert batches[0].losses.keys() == {"total"}
    assert batches[0].metrics["bce"] == pytest.approx(batches[0].losses["total"])
    end = next(e for e in training.events if e.hook is Hook.VALIDATION_END)
    assert end.losses.keys() == {"train_loss", "val_loss", "total"}
    assert end.losses["total"] == end.losses["val_loss"]
    assert {"bce", "train/bce", "metrics_anomaly/iou"} <= end.metrics.keys()


def test_metrics_are_pooled_over_the_validation_split(scene, tmp_path):
    """The measurements have different hits, so the mean of their ratios differs."""
    whole = Training(job_of(scene, max_epochs=1, batch_size=2), tmp_path).run()
    single = Training(job_of(scene, max_epochs=1, batch_size=1), tmp_path, whole.pipeline)
    load = {name: dict(values) for name, values in state_of(whole.pipeline).items()}
    load_state(single.pipeline, load, strict=True)
    ends = [
        next(e for e in each.events if e.hook is Hook.VALIDATION_END) for each in (whole, whole)
    ]
    assert ends[0].metrics == ends[1].metrics


def test_the_best_weights_are_restored(scene, tmp_path):
    callbacks = {"checkpoint": CHECKPOINT}
    rising = {"optimizer": {"name": "sgd", "lr": 1.0, "momentum": 0.0}, "gradient_clip_val": 50.0}
    training = Training(job_of(scene, callbacks=callbacks, **rising), tmp_path).run()
    ends = [e for e in training.events if e.hook is Hook.VALIDATION_END]
    scores = [e.metrics["bce"] for e in ends]
    best = training.events[-1].checkpoint
    assert best.restored
    assert best.monitor == "val/bce"
    assert best.score == pytest.approx(min(scores))
    assert best.epoch == int(np.argmin(scores))
    files = list((tmp_path / "best").iterdir())
    assert len(files) == 1
    saved = torch.load(files[0], weights_only=True)["state_dict"]
    assert {f"nodes.{key}" for key in training.state()} == saved.keys()
    assert all(torch.equal(saved[f"nodes.{key}"], value) for key, value in training.state().items())


def test_stopping_keeps_the_last_step(scene, tmp_path):
    training = Training(job_of(scene), tmp_path)
    asked = itertools.count()
    with pytest.raises(Cancelled):
        training.run(should_stop=lambda: next(asked) >= 4)
    steps = [e.global_step for e in training.events if e.hook is Hook.TRAIN_PROGRESS]
    reference = Training(job_of(scene), tmp_path)
    with pytest.raises(Cancelled):
        reference.run(should_stop=lambda: any(e.global_step >= steps[-1] for e in reference.events))
    assert same(training.state(), reference.state())
    assert not same(training.state(), Training(job_of(scene), tmp_path).state())


def test_a_nan_loss_restores_the_last_complete_epoch(scene, tmp_path):
    wild = {"optimizer": {"name": "sgd", "lr": 1.0}, "gradient_clip_val": None, "scheduler": None}
    training = Training(job_of(scene, max_epochs=50, **wild), tmp_path)
    initial = training.state()
    told = r"The loss became (nan|inf) in (the validation of )?epoch \d+, batch \d+ \("
    with pytest.raises(InvalidInput, match=told):
        training.run()
    good = training.state()
    assert all(bool(torch.isfinite(value).all()) for value in good.values())
    if not training.checkpoints:
        assert initial.keys() == good.keys()


def test_a_job_without_validation_trains(scene, tmp_path):
    job = job_of(scene, data={"val_ids": []}, scheduler=None)
    training = Training(job, tmp_path).run()
    assert Hook.VALIDATION_START not in hooks(training.events)
    assert training.events[-1].hook is Hook.CHECKPOINT_RESTORED


def test_each_epoch_has_its_own_order(scene, tmp_path, monkeypatch):
    job = job_of(scene, batch_size=1, max_epochs=3)
    read = []
    whole = type(job.measurements).read
    monkeypatch.setattr(
        type(job.measurements), "read", lambda self, i: read.append(i) or whole(self, i)
    )
    pipeline = fitted(job)
    read.clear()
    Training(job, tmp_path, pipeline).run()
    epochs = [i for i in read if i in TRAIN]
    orders = [epochs[start : start + 5] for start in range(0, 15, 5)]
    assert all(sorted(order) == TRAIN for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_a_metric_of_another_stage_is_not_evaluated(scene, tmp_path):
    config = pipeline_config()
    only_test = [
        node.model_copy(update={"hparams": node.hparams | {"execution_stages": ["test"]}})
        if node.name == "metrics_anomaly"
        else node
        for node in config.nodes
    ]
    pipeline = build_pipeline(config.model_copy(update={"nodes": only_test}))
    for name, each in fitted(job_of(scene)).nodes.items():
        pipeline.nodes[name].load_state_dict(each.state_dict())
        pipeline.nodes[name].fitted = each.fitted
    training = Training(job_of(scene, max_epochs=1), tmp_path, pipeline).run()
    end = next(e for e in training.events if e.hook is Hook.VALIDATION_END)
    assert not any(name.startswith("metrics_anomaly") for name in end.metrics)


def test_limits_count_in_the_totals(scene, tmp_path):
    training = Training(job_of(scene, max_epochs=1, limit_train_batches=2), tmp_path).run()
    told = [(e.done, e.total) for e in training.events if e.hook is Hook.TRAIN_PROGRESS]
    assert told == [(2, 4), (4, 4)]


@pytest.mark.parametrize("other", [1, 4096, 2**31])
def test_the_whole_seed_decides_the_order(scene, other):
    measurements = job_of(scene).measurements

    def order(seed):
        batches = EpochBatches(measurements, list(range(8)), 8, shuffle_seed=seed)
        return next(iter(batches))["mesu_index"].tolist()

    assert order(0) == order(0) != order(other)


@pytest.mark.parametrize(("count", "world_size"), [(5, 2), (1, 3), (2, 5), (6, 3)])
def test_processes_divide_the_measurements_evenly(scene, count, world_size):
    measurements = job_of(scene).measurements

    def read(shuffle_seed, rank):
        shared = EpochBatches(
            measurements,
            list(range(count)),
            1,
            shuffle_seed=shuffle_seed,
            rank=rank,
            world_size=world_size,
        )
        ids = [int(batch["mesu_index"][0]) for batch in shared]
        assert len(ids) == shared.total == len(shared)
        return ids

    trained = [read(7, rank) for rank in range(world_size)]
    assert {len(ids) for ids in trained} == {-(-count // world_size)}
    assert {i for ids in trained for i in ids} == set(range(count))
    validated = [read(None, rank) for rank in range(world_size)]
    if count >= world_size:
        assert sorted(i for ids in validated for i in ids) == list(range(count))
    else:
        assert validated == [list(range(count))] * world_size


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"loss_nodes": ()}, "loss_nodes is empty"),
        ({"loss_nodes": ("bec",)}, "loss_nodes names bec, which the pipeline does not have"),
        ({"metric_nodes": ("iou",)}, "metric_nodes names iou"),
        ({"metric_nodes": ("bce",)}, "metric_nodes: 'bce' has no output 'metrics'"),
        ({"unfreeze_nodes": ("nope",)}, "unfreeze_nodes names nope"),
        ({"freeze_nodes": ("RXGlobal",)}, "both name RXGlobal"),
        ({"unfreeze_nodes": ()}, "Nothing is trainable: .*MinMaxNormalizer, RXGlobal"),
        ({"optimizer": {"name": "adamax"}}, "training.optimizer.name 'adamax' is unknown"),
        ({"scheduler": {"name": "cosinus"}}, "Did you mean 'cosine'"),
        ({"scheduler": {"name": "plateau", "monitor": "nope"}}, "scheduler.monitor is 'nope'"),
        (
            {"callbacks": {"early_stopping": [{"monitor": "val/nope"}]}},
            "early_stopping.0.monitor is 'val/nope', but no value of that name is logged",
        ),
        (
            {"callbacks": {"checkpoint": CHECKPOINT | {"filename": "../{epoch}"}}},
            "leaves its folder",
        ),
        ({"precision": "17-true"}, "training.precision '17-true' cannot be used"),
        ({"accelerator": "gpu"}, "trains on the CPU"),
        ({"devices": 2}, "makes 2 processes"),
        ({"strategy": "fsdp"}, "training.strategy 'fsdp' is unknown"),
        ({"data": {"train_ids": []}}, "No measurements of "),
        ({"data": {"val_ids": [8]}}, "The val split names measurement 8, which "),
    ],
)
def test_settings_that_cannot_work_are_refused(scene, tmp_path, changes, text):
    with pytest.raises(InvalidInput, match=text):
        Training(job_of(scene, **changes), tmp_path, fitted(job_of(scene))).run()


def test_a_checkpoint_of_another_pipeline_is_refused(scene, tmp_path):
    training = Training(job_of(scene, max_epochs=1), tmp_path).run()
    other = write_scene(tmp_path / "other.npz", channels=CHANNELS)
    config = pipeline_config()
    renamed = [
        node.model_copy(update={"hparams": node.hparams | {"cache_inverse": False}})
        for node in config.nodes
    ]
    pipeline = build_pipeline(config.model_copy(update={"nodes": renamed}))
    with pytest.raises(InvalidInput, match=r"another pipeline: RXGlobal.cov_inv has shape"):
        Training(job_of(other), tmp_path, pipeline).run(resume=training.checkpoints[0])
    with pytest.raises(InvalidInput, match="The checkpoint is damaged"):
        Training(job_of(scene), tmp_path).run(resume=b"torn")
