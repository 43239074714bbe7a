"""The shipped trainruns on a synthetic scene, with this project's engine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from fleet_config.lookup import ConfigLookup
from fleet_config.resolution import ConfigResolver
from fleet_engine import Context, Pipeline, Stage, build_pipeline
from fleet_engine.data import batches, open_measurements
from fleet_engine.training import GradientJob, fit_statistics
from fleet_engine.training.gradient import train_gradient
from fleet_engine.weights import load_weights, write_published
from fleet_platform.files import PathPolicy
from fleet_schemas import PipelineConfig, TrainRunConfig
from tests.support.network.waiting_call import WaitingCall

CONFIGS = Path(__file__).parents[2] / "configs"
TRAINRUNS = ("rx_statistical", "channel_selector", "deep_svdd")
EPOCHS = 3


@dataclass(frozen=True)
class Scene:
    """Files with the same measurements in the formats of both sides.

    Attributes:
        folder: contains the session file and its annotations.
        npz: cubes, wavelengths and class masks of all measurements.
    """

    folder: Path
    npz: Path

    @property
    def policy(self) -> PathPolicy:
        """Return a policy that allows the engine to read the folder."""
        return PathPolicy(
            working_dir=self.folder,
            configs_dir=CONFIGS,
            data_dir=self.folder,
            output_dir=self.folder / "outputs",
        )

    def batch(self) -> dict[str, torch.Tensor]:
        """Return all measurements as one batch."""
        with np.load(self.npz) as content:
            cubes, wavelengths, mask = (content[key] for key in ("cube", "wavelengths", "mask"))
        return {
            "cube": torch.from_numpy(cubes),
            "wavelengths": torch.from_numpy(np.tile(wavelengths, (len(cubes), 1))),
            "mask": torch.from_numpy(mask),
        }

    def resolve(self, name: str) -> dict[str, Any]:
        """Return the shipped trainrun for this scene, shortened, as used by both sides."""
        resolver = ConfigResolver(ConfigLookup(self.policy, CONFIGS))
        overrides = [
            f"data.cu3s_file_path={self.folder / 'scene.cu3s'}",
            f"data.annotation_json_path={self.folder / 'scene.json'}",
            f"training.trainer.max_epochs={EPOCHS}",
            "training.trainer.accelerator=cpu",
            "training.trainer.enable_progress_bar=false",
        ]
        resolved: dict[str, Any] = resolver.resolve(
            "trainrun", f"trainrun/{name}", [str(CONFIGS)], overrides, WaitingCall()
        )
        for node in resolved["pipeline"]["nodes"]:
            # Figures are not compared, and each costs the published packages a second.
            node["hparams"].update({"up_to": 1} if "up_to" in node["hparams"] else {})
        return resolved


def load(yaml_path: Path, weights_path: Path) -> Pipeline:
    """Build a saved pipeline and load its weights strictly."""
    config = yaml.safe_load(yaml_path.read_text(encoding="utf-8"))
    pipeline = build_pipeline(PipelineConfig.model_validate(config))
    load_weights(pipeline, weights_path.read_bytes(), strict=True)
    return pipeline


def save(pipeline: Pipeline, yaml_path: Path) -> Path:
    """Write the YAML of the pipeline and its weights; return the path of the weights."""
    text = yaml.safe_dump(pipeline.config.to_dict(), sort_keys=False)
    yaml_path.write_text(text, encoding="utf-8")
    weights_path = yaml_path.with_suffix(".pt")
    weights_path.write_bytes(write_published(pipeline, {"name": yaml_path.stem}))
    return weights_path


def fit(run: TrainRunConfig, pipeline: Pipeline, scene: Scene) -> None:
    """Fit the pipeline to the trainrun's training split."""
    measurements = open_measurements(run.data, scene.policy)

    def read():
        return batches(measurements, run.data.train_ids, run.data.batch_size)

    fit_statistics(pipeline, read, on_event=lambda event: None, should_stop=lambda: False)


def train(run: TrainRunConfig, pipeline: Pipeline, scene: Scene) -> None:
    """Train the fitted pipeline with the settings of the trainrun."""
    assert run.training is not None
    job = GradientJob(
        training=run.training,
        data=run.data,
        measurements=open_measurements(run.data, scene.policy),
        loss_nodes=tuple(run.loss_nodes),
        metric_nodes=tuple(run.metric_nodes),
        freeze_nodes=tuple(run.freeze_nodes),
        unfreeze_nodes=tuple(run.unfreeze_nodes),
    )
    train_gradient(
        pipeline,
        job,
        on_event=lambda event: None,
        should_stop=lambda: False,
        on_checkpoint=lambda content: None,
        folder=lambda text: scene.folder / text,
    )


def trainrun(resolved: Mapping[str, Any], scene: Scene) -> TrainRunConfig:
    """Validate a resolved trainrun with measurements that need no SDK."""
    data = {**resolved["data"], "cu3s_file_path": str(scene.npz)}
    return TrainRunConfig.model_validate_json(json.dumps({**resolved, "data": data}))


def outputs(pipeline: Pipeline, scene: Scene) -> dict[str, np.ndarray]:
    """Compute all measurements; names as in `published_jobs.py`, without figures."""
    written: dict[str, np.ndarray] = {}
    for stage in (Stage.INFERENCE, Stage.VAL):
        wanted = [
            f"{name}.{port}"
            for name, node in pipeline.nodes.items()
            if node.runs_at(stage)
            for port in node.OUTPUT_SPECS
            if port != "artifacts"
        ]
        with torch.no_grad():
            made = pipeline.compile(stage, wanted).run(scene.batch(), Context(stage))
        for key, value in made.items():
            if isinstance(value, (torch.Tensor, np.ndarray)):
                written[f"{stage}/{key}"] = np.asarray(value)
            else:
                for metric in value:
                    written[f"{stage}/{key}/{metric.name}"] = np.asarray(metric.value)
    return written
