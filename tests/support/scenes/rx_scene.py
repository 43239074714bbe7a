"""A small pipeline that needs statistics, and measurements for it."""

import json
from pathlib import Path

import numpy as np

BANDS = 61


def rx_pipeline(bands: int = BANDS) -> dict[str, object]:
    """Data node, min-max, RX, logit, decider: published names and class paths."""
    return {
        "metadata": {"name": "rx"},
        "nodes": [
            _node("data", "node.data.LentilsAnomalyDataNode", normal_class_ids=[0, 1]),
            _node("normalizer", "node.normalization.MinMaxNormalizer"),
            _node("detector", "anomaly.rx_detector.RXGlobal", num_channels=bands),
            _node("logit", "node.conversion.ScoreToLogit"),
            _node("decider", "deciders.binary_decider.BinaryDecider"),
        ],
        "connections": [
            {"source": "data.outputs.cube", "target": "normalizer.inputs.data"},
            {"source": "normalizer.outputs.normalized", "target": "detector.inputs.data"},
            {"source": "detector.outputs.scores", "target": "logit.inputs.scores"},
            {"source": "logit.outputs.logits", "target": "decider.inputs.logits"},
        ],
    }


def write_scene(path: Path, frames: int = 3, size: int = 64, bands: int = BANDS) -> np.ndarray:
    """Write an .npz of noise, the same every time; returns its cube [N, H, W, C]."""
    random = np.random.default_rng(5)
    cube_NHWC = random.integers(1, 4000, (frames, size, size, bands), dtype=np.uint16)
    np.savez(path, cube=cube_NHWC, wavelengths=np.linspace(430, 910, bands))
    return cube_NHWC


def trainrun(data_path: str, **changes: object) -> bytes:
    """A trainrun's JSON with the pipeline inline."""
    config = {
        "name": "rx_statistical",
        "pipeline": rx_pipeline(),
        "data": {"cu3s_file_path": data_path, "train_ids": [0, 1, 2], "batch_size": 1},
    }
    return json.dumps(config | changes).encode()


def _node(name: str, path: str, **hparams: object) -> dict[str, object]:
    return {"name": name, "class_name": f"cuvis_ai.{path}", "hparams": hparams}
