"""Pipelines and data that the engine's tests share."""

import numpy as np
import torch

from fleet_engine import Context, Pipeline, Stage, build_pipeline
from fleet_engine.training import fit_statistics
from fleet_schemas import PipelineConfig

INFERENCE = Context(Stage.INFERENCE)

DATA = "cuvis_ai.node.data.LentilsAnomalyDataNode"
MIN_MAX = "cuvis_ai.node.normalization.MinMaxNormalizer"
RX = "cuvis_ai.anomaly.rx_detector.RXGlobal"
LOGIT = "cuvis_ai.node.conversion.ScoreToLogit"
DECIDER = "cuvis_ai.deciders.binary_decider.BinaryDecider"
METRICS = "cuvis_ai.node.metrics.AnomalyDetectionMetrics"
MONITOR = "cuvis_ai.node.monitor.TensorBoardMonitorNode"
MASK = "cuvis_ai.node.anomaly_visualization.AnomalyMask"


def node(name, class_name, **hparams):
    return {"name": name, "class_name": class_name, "hparams": hparams}


def edge(source, target):
    source_node, source_port = source.split(".")
    target_node, target_port = target.split(".")
    return {
        "source": f"{source_node}.outputs.{source_port}",
        "target": f"{target_node}.inputs.{target_port}",
    }


def config(nodes, edges=()):
    return PipelineConfig.model_validate(
        {"nodes": list(nodes), "connections": [edge(*pair) for pair in edges]}
    )


def rx_nodes(channels=7, cache_inverse=True):
    return [
        node("LentilsAnomalyDataNode", DATA, normal_class_ids=[0, 1]),
        node("MinMaxNormalizer", MIN_MAX, eps=1e-6, use_running_stats=True),
        node("RXGlobal", RX, num_channels=channels, eps=1e-6, cache_inverse=cache_inverse),
        node("ScoreToLogit", LOGIT),
        node("BinaryDecider", DECIDER, threshold=0.5),
        node("metrics_anomaly", METRICS, execution_stages=None),
        node("TensorBoardMonitorNode", MONITOR, output_dir="outputs\\tb", run_name="rx"),
        node("mask", MASK, channel=3, up_to=5),
    ]


RX_EDGES = (
    ("LentilsAnomalyDataNode.cube", "MinMaxNormalizer.data"),
    ("LentilsAnomalyDataNode.mask", "metrics_anomaly.targets"),
    ("LentilsAnomalyDataNode.mask", "mask.mask"),
    ("LentilsAnomalyDataNode.cube", "mask.cube"),
    ("MinMaxNormalizer.normalized", "RXGlobal.data"),
    ("RXGlobal.scores", "ScoreToLogit.scores"),
    ("ScoreToLogit.logits", "BinaryDecider.logits"),
    ("BinaryDecider.decisions", "metrics_anomaly.decisions"),
    ("BinaryDecider.decisions", "mask.decisions"),
    ("metrics_anomaly.metrics", "TensorBoardMonitorNode.metrics"),
    ("mask.artifacts", "TensorBoardMonitorNode.artifacts"),
)


def rx_config(channels=7, cache_inverse=True):
    return config(rx_nodes(channels, cache_inverse), RX_EDGES)


def cube_of(shape, seed=0, dtype=np.uint16):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 4096, shape).astype(dtype))


def batch_of(shape, seed=0, *, labelled=False):
    batch = {
        "cube": cube_of(shape, seed),
        "wavelengths": torch.arange(400, 400 + shape[-1], dtype=torch.int32).expand(shape[0], -1),
    }
    if labelled:
        classes = np.random.default_rng(seed + 1).integers(0, 4, shape[:3])
        batch["mask"] = torch.from_numpy(classes.astype(np.int32))
    return batch


def fit(pipeline: Pipeline, *batches, events=None) -> Pipeline:
    received = events if events is not None else []
    fit_statistics(pipeline, lambda: iter(batches), received.append, lambda: False)
    return pipeline


def fitted_rx(channels=7, cache_inverse=True) -> Pipeline:
    pipeline = build_pipeline(rx_config(channels, cache_inverse))
    return fit(pipeline, batch_of((2, 20, 30, channels), seed=5))


def infer(pipeline, batch, *requested):
    return pipeline.plan(Stage.INFERENCE, frozenset(requested)).run(batch, INFERENCE)
