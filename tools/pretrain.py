"""Fits two pipelines of ``configs/pipeline`` to the synthetic scene of the demo.

``python -m tools.pretrain`` writes their weights next to them, so that clients which load a
pipeline with the weights of the same name work before anything was trained. The weights suit the
demo's scene and first experiments; the data of a real camera needs its own training.
"""

from pathlib import Path

import numpy as np
import torch
import yaml

from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene
from fleet_engine import Pipeline, build_pipeline
from fleet_engine.training import fit_statistics
from fleet_engine.weights import write_published
from fleet_schemas import PipelineConfig, validate_config

FOLDER = Path(__file__).parents[1] / "configs" / "pipeline"
NAMES = ("channel_selector", "rx_statistical")


def pretrained(name: str) -> Pipeline:
    """Return the pipeline `name`, fitted to the synthetic scene."""
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    pipeline = build_pipeline(validate_config(PipelineConfig, content, name))
    cube_HWC, _ = make_synthetic_scene()
    batch = {
        "cube": torch.from_numpy(cube_HWC[None]),
        "wavelengths": torch.from_numpy(np.rint(WAVELENGTHS_NM).astype(np.int32)),
    }
    fit_statistics(pipeline, lambda: iter([batch]), lambda _: None, lambda: False)
    return pipeline


def main() -> None:
    """Write the weights of all pipelines in `NAMES`."""
    for name in NAMES:
        metadata = {"name": name, "description": "fitted to the synthetic scene of the demo"}
        (FOLDER / f"{name}.pt").write_bytes(write_published(pretrained(name), metadata))


if __name__ == "__main__":
    main()
