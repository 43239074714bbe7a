"""Trains and infers with the published packages: ``published_jobs.py jobs.json`` (a list of jobs).

Runs in an environment of those packages, through `tests/support/sdk_stub/launch_published.py`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from cuvis_ai_core.data.datasets import SingleCu3sDataModule
from cuvis_ai_core.pipeline.factory import PipelineBuilder
from cuvis_ai_core.pipeline.pipeline import CuvisPipeline
from cuvis_ai_core.training.config import TrainRunConfig
from cuvis_ai_core.training.trainers import GradientTrainer, StatisticalTrainer
from cuvis_ai_schemas.enums import ExecutionStage
from cuvis_ai_schemas.execution import Context

STAGES = {"inference": ExecutionStage.INFERENCE, "val": ExecutionStage.VAL}


def train(trainrun, folder, scene, seed, gradient):
    """Save the pipeline as ``<name>.yaml`` and ``.pt``, and its outputs, after each training."""
    run = TrainRunConfig.from_dict(json.loads(Path(trainrun).read_text(encoding="utf-8")))
    folder = Path(folder)
    torch.manual_seed(seed)
    pipeline = PipelineBuilder().build_from_config(run.pipeline.to_dict())
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
    pipeline.save_to_file(folder / "initial.yaml")
    StatisticalTrainer(pipeline, data).fit()
    pipeline.save_to_file(folder / "statistical.yaml")
    save_outputs(pipeline, scene, folder / "statistical.npz")
    if gradient:
        pipeline.unfreeze_nodes_by_name(list(run.unfreeze_nodes))
        GradientTrainer(
            pipeline,
            data,
            loss_nodes=[nodes[name] for name in run.loss_nodes],
            metric_nodes=[nodes[name] for name in run.metric_nodes],
            trainer_config=run.training.trainer,
            optimizer_config=run.training.optimizer,
            scheduler_config=run.training.scheduler,
        ).fit()
        pipeline.save_to_file(folder / "gradient.yaml")
        save_outputs(pipeline, scene, folder / "gradient.npz")


def infer(config, weights, scene, out):
    """Save the outputs of a saved pipeline, loaded strictly."""
    pipeline = CuvisPipeline.load_pipeline(config, weights, strict_weight_loading=True)
    save_outputs(pipeline, scene, Path(out))


def save_outputs(pipeline, scene, path):
    """Write ``<stage>/<node>.<port>``: tensors, arrays, and metrics as ``.../<name>``."""
    with np.load(scene) as content:
        cubes, wavelengths, mask = content["cube"], content["wavelengths"], content["mask"]
    batch = {
        "cube": torch.from_numpy(cubes),
        "wavelengths": torch.from_numpy(np.tile(wavelengths, (len(cubes), 1))),
        "mask": torch.from_numpy(mask),
    }
    written = {}
    for name, stage in STAGES.items():
        with torch.no_grad():
            outputs = pipeline.forward(batch=batch, context=Context(stage=stage))
        for (node, port), value in outputs.items():
            if isinstance(value, (torch.Tensor, np.ndarray)):
                written[f"{name}/{node}.{port}"] = np.asarray(value)
            elif port == "metrics":
                for metric in value:
                    written[f"{name}/{node}.{port}/{metric.name}"] = np.asarray(metric.value)
    np.savez(path, **written)


if __name__ == "__main__":
    JOBS = {"train": train, "infer": infer}
    for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        JOBS[job.pop("do")](**job)
