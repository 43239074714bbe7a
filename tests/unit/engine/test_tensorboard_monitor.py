"""Event files, read back like in TensorBoard."""

from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fleet_engine import Context, Stage, build_pipeline
from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.metric import Metric
from fleet_platform.errors import DependencyDown, InvalidInput
from tests.support.scenes.pipelines import MONITOR, config, node

CONTEXT = Context(Stage.VAL, epoch=1, batch_idx=0, global_step=7)
IOU = Metric("iou", 0.25, Stage.VAL, 1, 0)


def made(folder, **hparams):
    hparams = {"output_dir": str(folder), **hparams}
    return build_pipeline(config([node("n", MONITOR, **hparams)])).nodes["n"]


def figure(name="mask_img00", stage=Stage.VAL):
    value = np.zeros((4, 6, 3), np.uint8)
    value[1, 2] = (10, 200, 30)
    return Artifact(name, value, 0, "a figure", stage, 1, 0)


def report(monitor, context=CONTEXT, **inputs):
    assert monitor(context=context, **inputs) == {}


def events(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def folders(parent):
    return sorted(path.name for path in Path(parent).iterdir())


def test_metrics_and_figures_of_all_sources_are_written_under_their_stage(tmp_path):
    monitor = made(tmp_path, run_name="rx")
    other = Metric("scores/mean", 3.5, Stage.VAL, 1, 0)
    report(monitor, metrics=[[IOU], [other]], artifacts=[[figure()]])
    later = Context(Stage.TEST, global_step=9)
    report(monitor, later, metrics=[[Metric("iou", 0.5, Stage.TEST, 0, 0)]])
    monitor.close()
    written = events(tmp_path / "rx")
    assert set(written.Tags()["scalars"]) == {"val/iou", "val/scores/mean", "test/iou"}
    assert [(e.step, e.value) for e in written.Scalars("val/iou")] == [(7, 0.25)]
    assert [(e.step, e.value) for e in written.Scalars("test/iou")] == [(9, 0.5)]
    (image,) = written.Images("val/mask_img00")
    assert (image.step, image.width, image.height) == (7, 6, 4)


def test_an_image_is_written_unchanged(tmp_path):
    import io

    from PIL import Image

    monitor = made(tmp_path, run_name="rx")
    report(monitor, artifacts=[[figure()]])
    monitor.close()
    (image,) = events(tmp_path / "rx").Images("val/mask_img00")
    pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)).convert("RGB"))
    assert np.array_equal(pixels, figure().value)


def test_no_file_is_touched_before_the_first_event(tmp_path):
    monitor = made(tmp_path / "runs")
    report(monitor)
    report(monitor, metrics=[[]], artifacts=[])
    monitor.close()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("hparams", "names"),
    [
        ({"run_name": "rx"}, ["rx", "rx_v2", "rx_v3"]),
        ({}, ["run_01", "run_02", "run_03"]),
        ({"run_name": "rx", "comment": "-eps"}, ["rx-eps", "rx-eps_v2", "rx-eps_v3"]),
    ],
)
def test_each_run_has_its_own_folder(tmp_path, hparams, names):
    for _ in range(3):
        monitor = made(tmp_path, **hparams)
        report(monitor, metrics=[[IOU]])
        monitor.close()
    assert folders(tmp_path) == names


def test_a_closed_monitor_starts_another_folder(tmp_path):
    monitor = made(tmp_path, run_name="rx")
    for _ in range(2):
        report(monitor, metrics=[[IOU]])
        report(monitor, metrics=[[IOU]])
        monitor.close()
    assert folders(tmp_path) == ["rx", "rx_v2"]


def test_the_server_decides_where_a_training_writes(tmp_path):
    monitor = made("..\\logs", run_name="rx")
    asked = []

    def below_output(text):
        asked.append(text)
        return tmp_path / "out" / "rx"

    monitor.resolve_folder = below_output
    report(monitor, metrics=[[IOU]])
    monitor.close()
    assert asked == ["../logs/rx"]
    assert folders(tmp_path / "out") == ["rx"]


def test_a_refused_folder_is_not_created(tmp_path):
    monitor = made(tmp_path / "outside")

    def refuse(text):
        raise InvalidInput(f"{text} lies outside")

    monitor.resolve_folder = refuse
    with pytest.raises(InvalidInput, match="lies outside"):
        report(monitor, metrics=[[IOU]])
    assert not (tmp_path / "outside").exists()


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    monitor = made(tmp_path / "file")
    with pytest.raises(DependencyDown, match=r"event files.*Not a directory"):
        report(monitor, metrics=[[IOU]])


def test_the_monitor_never_runs_at_inference(tmp_path):
    monitor = made(tmp_path, execution_stages=["always"])
    assert not monitor.runs_at(Stage.INFERENCE)
    assert made(tmp_path).runs_at(Stage.TRAIN)
