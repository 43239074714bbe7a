"""Fit, train, save, load and infer one pipeline with both engines.

``third_party_nodes.py jobs`` runs a list of jobs.

Runs where this project's engine and the published packages are installed side by side, through
`tests/support/sdk_stub/launch_published.py`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import published_jobs
import torch
from cuvis_ai_core.data.datasets import SingleCu3sDataModule
from cuvis_ai_core.pipeline.factory import PipelineBuilder
from cuvis_ai_core.pipeline.pipeline import CuvisPipeline
from cuvis_ai_core.training.config import TrainRunConfig as PublishedTrainRun
from cuvis_ai_core.training.trainers import GradientTrainer, StatisticalTrainer

from fleet_engine import Context, Stage, allow_node_packages, build_pipeline
from fleet_engine.data import batches, open_measurements
from fleet_engine.training import GradientJob, fit_statistics
from fleet_engine.training.gradient import train_gradient
from fleet_engine.weights import from_safetensors, load_weights, to_safetensors, write_published
from fleet_schemas import TrainRunConfig


class AnyFile:
    """Allows reading all files of the script."""

    def data_file(self, text):
        return Path(text)


def ours(run, folder, scene):
    """Fit and train with this project's engine; save weights and outputs after each step."""
    pipeline = build_pipeline(run.pipeline)
    measurements = open_measurements(run.data, AnyFile())
    fit_statistics(
        pipeline,
        lambda: batches(measurements, run.data.train_ids, run.data.batch_size),
        on_event=lambda event: None,
        should_stop=lambda: False,
    )
    keep(pipeline, folder / "ours_fitted", scene)
    job = GradientJob(
        training=run.training,
        data=run.data,
        measurements=measurements,
        loss_nodes=tuple(run.loss_nodes),
        metric_nodes=tuple(run.metric_nodes),
        unfreeze_nodes=tuple(run.unfreeze_nodes),
    )
    logged = {}
    train_gradient(
        pipeline,
        job,
        on_event=lambda event: logged.update(event.metrics),
        should_stop=lambda: False,
        on_checkpoint=lambda content: None,
        folder=lambda text: folder / text,
    )
    (folder / "logged.json").write_text(json.dumps(logged), encoding="utf-8")
    keep(pipeline, folder / "ours_trained", scene)
    restored = build_pipeline(run.pipeline)
    from_safetensors(restored, to_safetensors(pipeline))
    keep(restored, folder / "ours_restored", scene)
    return {
        name: f"{type(node).__module__.partition('.')[0]}.{type(node).__name__}"
        for name, node in pipeline.nodes.items()
    }


def keep(pipeline, path, scene):
    """Write the weights as a published file, and all outputs."""
    path.with_suffix(".pt").write_bytes(write_published(pipeline, {"name": path.stem}))
    with np.load(scene) as content:
        batch = {
            "cube": torch.from_numpy(content["cube"]),
            "wavelengths": torch.from_numpy(np.tile(content["wavelengths"], (7, 1))),
            "mask": torch.from_numpy(content["mask"]),
        }
    written = {}
    for stage in (Stage.INFERENCE, Stage.VAL):
        wanted = [
            f"{name}.{port}"
            for name, node in pipeline.nodes.items()
            if node.runs_at(stage)
            for port in node.OUTPUT_SPECS
        ]
        with torch.no_grad():
            made = pipeline.compile(stage, wanted).run(batch, Context(stage))
        for key, value in made.items():
            if isinstance(value, torch.Tensor):
                written[f"{stage}/{key}"] = value.numpy()
            elif key.endswith(".metrics"):
                for metric in value:
                    written[f"{stage}/{key}/{metric.name}"] = np.asarray(metric.value)
    np.savez(path.with_suffix(".npz"), **written)


def theirs(trainrun, folder, scene):
    """Fit and train with the published trainers; save pipeline and outputs after each step."""
    run = PublishedTrainRun.from_dict(trainrun)
    pipeline = PipelineBuilder().build_from_config(trainrun["pipeline"])
    nodes = {node.name: node for node in pipeline.nodes()}
    data = SingleCu3sDataModule(
        cu3s_file_path=run.data.cu3s_file_path,
        annotation_json_path=run.data.annotation_json_path,
        train_ids=run.data.train_ids,
        val_ids=run.data.val_ids,
        test_ids=run.data.test_ids,
        batch_size=run.data.batch_size,
        processing_mode=run.data.processing_mode,
    )
    StatisticalTrainer(pipeline, data).fit()
    pipeline.save_to_file(folder / "theirs_fitted.yaml")
    published_jobs.save_outputs(pipeline, scene, folder / "theirs_fitted.npz")
    pipeline.unfreeze_nodes_by_name(list(run.unfreeze_nodes))
    GradientTrainer(
        pipeline,
        data,
        loss_nodes=[nodes[name] for name in run.loss_nodes],
        metric_nodes=[nodes[name] for name in run.metric_nodes],
        trainer_config=run.training.trainer,
        optimizer_config=run.training.optimizer,
    ).fit()
    pipeline.save_to_file(folder / "theirs_trained.yaml")
    published_jobs.save_outputs(pipeline, scene, folder / "theirs_trained.npz")


def compare(trainrun, scene, npz, annotations, folder):
    """Write all results for the test to `folder`."""
    folder = Path(folder)
    allow_node_packages(("lab_plugin",))
    data = trainrun["data"]
    theirs(
        {
            **trainrun,
            "data": {**data, "cu3s_file_path": scene, "annotation_json_path": annotations},
        },
        folder,
        npz,
    )
    run = TrainRunConfig.model_validate_json(
        json.dumps({**trainrun, "data": {**data, "cu3s_file_path": npz}})
    )
    classes = ours(run, folder, npz)
    (folder / "classes.json").write_text(json.dumps(classes), encoding="utf-8")
    there = CuvisPipeline.load_pipeline(
        folder / "theirs_trained.yaml", folder / "ours_trained.pt", strict_weight_loading=True
    )
    published_jobs.save_outputs(there, npz, folder / "ours_loaded_there.npz")
    here = build_pipeline(run.pipeline)
    load_weights(here, (folder / "theirs_trained.pt").read_bytes(), strict=True)
    keep(here, folder / "theirs_loaded_here", npz)


if __name__ == "__main__":
    for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        compare(**job)
