"""Calibration and evaluation after a training."""

import numpy as np
import pytest

from fleet_engine import NotFitted, Stage, build_pipeline
from fleet_engine.training import Hook, calibrate_and_evaluate
from fleet_platform.errors import Cancelled
from tests.support.scenes.gradient_scene import (
    CHANNELS,
    VAL,
    fitted,
    job_of,
    pipeline_config,
    write_scene,
)
from tests.support.scenes.pipelines import DATA, config, node
from tests.unit.engine.test_gradient import hooks


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene") / "scene.npz")


def run(pipeline, job, *, with_calibration=True, should_stop=lambda: False):
    events = []
    changed = calibrate_and_evaluate(
        pipeline,
        job,
        with_calibration=with_calibration,
        on_event=events.append,
        should_stop=should_stop,
    )
    return changed, events


def report_of(events):
    return next(e.calibration for e in events if e.hook is Hook.CALIBRATION_END)


def best_f1(scene, pipeline):
    """Return the best pixel F1 of any threshold on the logits of the validation split."""
    data = np.load(scene)
    logit, rx = pipeline.nodes["ScoreToLogit"], pipeline.nodes["RXGlobal"]
    low = float(pipeline.nodes["MinMaxNormalizer"].running_min)
    high = float(pipeline.nodes["MinMaxNormalizer"].running_max)
    cube = (data["cube"][VAL].astype(np.float64) - low) / (high - low)
    centred = cube.reshape(-1, CHANNELS) - rx.mu.numpy()
    scores = np.einsum("nc,cd,nd->n", centred, rx.cov_inv.numpy(), centred)
    scores = (scores - float(logit.bias)) * float(logit.scale)
    truth = data["mask"][VAL].ravel() == 2
    order = np.argsort(-scores)
    hits = np.cumsum(truth[order])
    return float((2 * hits / (np.arange(1, len(order) + 1) + truth.sum())).max())


def test_deciders_get_the_threshold_with_the_best_f1(scene):
    job = job_of(scene)
    pipeline = fitted(job)
    changed, events = run(pipeline, job)
    report = report_of(events)
    calibration = report.calibrated["BinaryDecider"]
    assert calibration.before == {"threshold": 0.5}
    assert calibration.after == {"threshold": pipeline.nodes["BinaryDecider"].threshold}
    assert calibration.after != calibration.before
    assert (report.frames, report.anomalous_frames, report.skipped) == (2, 2, "")
    evaluated = next(e for e in events if e.hook is Hook.EVALUATION_END and e.stage is Stage.VAL)
    assert evaluated.metrics["metrics_anomaly/f1_score"] == pytest.approx(
        best_f1(scene, pipeline), abs=1e-6
    )
    hparams = {each.name: each.hparams for each in changed.nodes}
    assert hparams["BinaryDecider"]["threshold"] == calibration.after["threshold"]
    assert build_pipeline(changed).nodes["BinaryDecider"].threshold == pytest.approx(
        calibration.after["threshold"]
    )


def test_events_in_order(scene):
    job = job_of(scene)
    _, events = run(fitted(job), job)
    evaluation = [Hook.EVALUATION_START, Hook.EVALUATION_PROGRESS, Hook.EVALUATION_END]
    assert hooks(events) == [
        Hook.CALIBRATION_START,
        Hook.CALIBRATION_PROGRESS,
        Hook.CALIBRATION_END,
        *evaluation,
        *evaluation,
        Hook.POST_FIT_END,
    ]
    ends = [e for e in events if e.hook is Hook.EVALUATION_END]
    assert [e.stage for e in ends] == [Stage.VAL, Stage.TEST]
    assert ends[1].losses.keys() == {"test_loss"}
    assert {"bce", "metrics_anomaly/iou"} <= ends[1].metrics.keys()


def test_without_calibration_only_the_test_split_is_evaluated(scene):
    job = job_of(scene)
    pipeline = fitted(job)
    changed, events = run(pipeline, job, with_calibration=False)
    assert changed is pipeline.config
    assert {e.stage for e in events if e.hook is Hook.EVALUATION_END} == {Stage.TEST}


def test_an_empty_split_is_skipped(scene):
    job = job_of(scene, data={"val_ids": [], "test_ids": []})
    pipeline = fitted(job)
    changed, events = run(pipeline, job)
    assert report_of(events).skipped == "no_split"
    assert changed == pipeline.config
    assert Hook.EVALUATION_START not in hooks(events)


def test_a_single_class_cannot_be_calibrated(scene, tmp_path):
    data = dict(np.load(scene))
    np.savez(tmp_path / "calm.npz", **data | {"mask": np.zeros_like(data["mask"])})
    job = job_of(tmp_path / "calm.npz")
    pipeline = fitted(job)
    changed, events = run(pipeline, job)
    report = report_of(events)
    assert (report.skipped, report.anomalous_frames) == ("single_class", 0)
    assert changed == pipeline.config


def test_unlabelled_data_is_reported_without_failing(scene, tmp_path):
    data = {key: value for key, value in np.load(scene).items() if key != "mask"}
    np.savez(tmp_path / "bare.npz", **data)
    job = job_of(tmp_path / "bare.npz")
    _, events = run(fitted(job), job)
    assert report_of(events).skipped == "inference_failed"
    assert "is not labelled" in report_of(events).detail
    ends = [e for e in events if e.hook is Hook.EVALUATION_END]
    assert all("targets" in e.error for e in ends)


def test_two_ground_truths_are_ambiguous(scene):
    base = pipeline_config()
    second = node("other", DATA, normal_class_ids=[0])
    more = base.model_copy(
        update={
            "nodes": [*base.nodes, *config([second]).nodes],
            "connections": [c for c in base.connections if not c.target.endswith("inputs.targets")],
        }
    )
    pipeline = build_pipeline(type(base).model_validate(more.to_dict()))
    _, events = run(pipeline, job_of(scene, loss_nodes=(), metric_nodes=()))
    report = report_of(events)
    assert report.skipped == "ambiguous_mask"
    assert "LentilsAnomalyDataNode.mask, other.mask" in report.detail


def test_an_unconnected_decider_is_reported(scene):
    base = pipeline_config()
    lone = node("lone", "cuvis_ai.deciders.binary_decider.BinaryDecider")
    more = base.model_copy(update={"nodes": [*base.nodes, *config([lone]).nodes]})
    job = job_of(scene)
    pipeline = build_pipeline(more)
    trained = fitted(job)
    for name, each in trained.nodes.items():
        pipeline.nodes[name].load_state_dict(each.state_dict())
        pipeline.nodes[name].fitted = each.fitted
    _, events = run(pipeline, job)
    assert "is not connected" in report_of(events).failed["lone"]
    assert "BinaryDecider" in report_of(events).calibrated


def test_an_unfitted_pipeline_cannot_be_calibrated(scene):
    with pytest.raises(NotFitted):
        run(build_pipeline(pipeline_config()), job_of(scene))


def test_stopping(scene):
    job = job_of(scene)
    pipeline = fitted(job)
    with pytest.raises(Cancelled):
        run(pipeline, job, should_stop=lambda: True)
    assert pipeline.nodes["BinaryDecider"].threshold == 0.5
