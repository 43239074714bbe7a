"""A small labelled scene and a pipeline whose gradient training shows every part of the loop."""

from pathlib import Path

import numpy as np

from fleet_engine import Pipeline, build_pipeline
from fleet_engine.data import batches, open_measurements
from fleet_engine.training import GradientJob, check_job, fit_statistics
from fleet_engine.training.gradient import train_gradient
from fleet_schemas import DataConfig, TrainingConfig
from tests.support.scenes.pipelines import RX_EDGES, config, node, rx_nodes

BCE = "cuvis_ai.node.losses.AnomalyBCEWithLogits"
CHANNELS = 7
TRAIN, VAL, TEST = [0, 1, 2, 3, 4], [5, 6], [7]


class Files:
    """Any path may be read."""

    def data_file(self, text: str) -> Path:
        return Path(text)


def write_scene(path: Path, channels: int = CHANNELS, size: int = 12) -> Path:
    """Eight measurements of correlated background with a few deviating pixels, class 2."""
    rng = np.random.default_rng(11)
    mixing = rng.normal(size=(channels, channels))
    cube = rng.normal(size=(8, size, size, channels)) @ mixing + 20
    mask = np.zeros((8, size, size), np.int32)
    for frame in range(8):
        rows, columns = rng.integers(0, size, (2, 6))
        cube[frame, rows, columns] += rng.normal(size=channels) * 6
        mask[frame, rows, columns] = 2
    wavelengths = np.linspace(430, 910, channels)
    np.savez(path, cube=cube.astype(np.float32), mask=mask, wavelengths=wavelengths)
    return path


def pipeline_config():
    shown = {"mask", "TensorBoardMonitorNode"}
    nodes = [each for each in rx_nodes(CHANNELS) if each["name"] not in shown]
    names = {each["name"] for each in nodes}
    edges = [pair for pair in RX_EDGES if {end.partition(".")[0] for end in pair} <= names]
    edges += [
        ("ScoreToLogit.logits", "bce.predictions"),
        ("LentilsAnomalyDataNode.mask", "bce.targets"),
    ]
    return config([*nodes, node("bce", BCE, weight=10.0)], edges)


def training(**changes) -> TrainingConfig:
    settings = {
        "seed": 3,
        "max_epochs": 4,
        "accelerator": "cpu",
        "gradient_clip_val": 1.0,
        "optimizer": {"name": "adamw", "lr": 0.05, "weight_decay": 0.01},
        "scheduler": {
            "name": "reduce_on_plateau",
            "monitor": "val/bce",
            "patience": 0,
            "factor": 0.5,
        },
    }
    return TrainingConfig.model_validate(settings | changes)


def job_of(path: Path, *, batch_size: int = 2, data=None, group=None, **changes) -> GradientJob:
    chosen = {"train_ids": TRAIN, "val_ids": VAL, "test_ids": TEST} | (data or {})
    data_config = DataConfig(cu3s_file_path=str(path), batch_size=batch_size, **chosen)
    roles = {
        "loss_nodes": ("bce",),
        "metric_nodes": ("metrics_anomaly",),
        "unfreeze_nodes": ("RXGlobal", "ScoreToLogit"),
    }
    for key in list(changes):
        if key.endswith("_nodes"):
            roles[key] = changes.pop(key)
    return GradientJob(
        training=training(**changes),
        data=data_config,
        measurements=open_measurements(data_config, Files()),
        group=group,
        **roles,
    )


def fitted(job: GradientJob) -> Pipeline:
    pipeline = build_pipeline(pipeline_config())
    fit_statistics(
        pipeline,
        lambda: batches(job.measurements, job.data.train_ids, job.data.batch_size),
        lambda _event: None,
        lambda: False,
    )
    return pipeline


class Training:
    """Runs a training and records its events and checkpoints."""

    def __init__(self, job: GradientJob, folder: Path, pipeline: Pipeline | None = None) -> None:
        self.job = job
        self.folder = folder
        self.pipeline = fitted(job) if pipeline is None else pipeline
        self.events = []
        self.checkpoints = []

    def run(self, resume=None, should_stop=lambda: False) -> "Training":
        check_job(self.job)
        train_gradient(
            self.pipeline,
            self.job,
            on_event=self.events.append,
            should_stop=should_stop,
            on_checkpoint=self.checkpoints.append,
            folder=lambda text: self.folder / text,
            resume=resume,
        )
        return self

    def state(self):
        return {
            f"{name}.{key}": value.detach().clone()
            for name, node in self.pipeline.nodes.items()
            for key, value in node.state_dict().items()
        }
