"""One of several processes that fit together: ``python -m tests.unit.engine.fit_rank``.

Arguments: folder, rank, world size, port. Each rank writes its results to ``<rank>.pt``.
"""

import sys
from pathlib import Path

import torch

from fleet_engine import Pipeline, allow_node_packages, build_pipeline
from fleet_engine.training import DataShard, WorkerGroup, fit_statistics
from fleet_engine.weights import state_of
from fleet_platform.errors import AppError
from tests.support.scenes.pipelines import DATA, LOGIT, MIN_MAX, RX, batch_of, config, node
from tests.unit.engine.stream_mean import STREAM_MEAN

CHANNELS = 7
IDS = [4, 0, 3, 1, 2]
FITTED = {
    "RX": (RX, {"num_channels": CHANNELS}),
    "ZScore": ("cuvis_ai.anomaly.deep_svdd.ZScoreNormalizerGlobal", {"num_channels": CHANNELS}),
    "LAD": ("cuvis_ai.anomaly.lad_detector.LADGlobal", {"num_channels": CHANNELS}),
    "PCA": (
        "cuvis_ai.node.dimensionality_reduction.TrainablePCA",
        {"num_channels": CHANNELS, "n_components": 3},
    ),
    "Center": ("cuvis_ai.anomaly.deep_svdd.DeepSVDDCenterTracker", {"rep_dim": CHANNELS}),
    "Soft": (
        "cuvis_ai.node.channel_selector.SoftChannelSelector",
        {"n_select": 2, "input_channels": CHANNELS, "init_method": "variance"},
    ),
    "Mixer": (
        "cuvis_ai.node.channel_mixer.LearnableChannelMixer",
        {"input_channels": CHANNELS, "output_channels": 3, "init_method": "pca"},
    ),
    "ThirdParty": (STREAM_MEAN, {}),
}
"""Nodes behind the min-max normaliser, side by side."""


def pipeline() -> Pipeline:
    """Three stages: min-max, the nodes of `FITTED`, and the logit after RX."""
    allow_node_packages((STREAM_MEAN,))
    ports = {"Center": "embeddings"}
    return build_pipeline(
        config(
            [
                node("data", DATA, normal_class_ids=[0]),
                node("MinMax", MIN_MAX),
                *(node(name, path, **hparams) for name, (path, hparams) in FITTED.items()),
                node("Logit", LOGIT),
            ],
            [
                ("data.cube", "MinMax.data"),
                *(("MinMax.normalized", f"{name}.{ports.get(name, 'data')}") for name in FITTED),
                ("RX.scores", "Logit.scores"),
            ],
        )
    )


def read(ids, spoilt=None):
    """One batch per measurement, each with a different size and brightness."""
    for index in ids:
        batch = batch_of((1, 20 + index, 31, CHANNELS), seed=index)
        batch["cube"] = batch["cube"].to(torch.float32) * (1 + index)
        batch["mesu_index"] = torch.tensor([index])
        if index == spoilt:
            batch["cube"][0, 1, 1, 1] = float("nan")
        yield batch


def fitted(group: WorkerGroup | None, ids, **faults):
    """Return state and float64 sums, or the error, of a fit, and the number of measurements."""
    counted = []

    def reading(numbers):
        for batch in read(numbers, faults.get("spoilt")):
            counted.append(1)
            yield batch

    fresh = pipeline()
    try:
        fit_statistics(
            fresh,
            lambda: reading(ids),
            on_event=lambda _: None,
            should_stop=lambda: bool(faults.get("stops")) and len(counted) > 2,
            shard=None if group is None else DataShard.of(group, ids, reading),
        )
    except AppError as error:
        return {"error": f"{type(error).__name__}: {error.text}"}
    return {
        "state": state_of(fresh),
        "sums": {name: one.fit_sums() for name, one in fresh.nodes.items() if one.mergeable},
        "read": len(counted),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    rank, world_size, port = map(int, sys.argv[2:5])
    torch.set_num_threads(1)
    group = WorkerGroup(rank, world_size, rank, 0, "127.0.0.1", port)
    with group.joined(torch.device("cpu")):
        result = {
            "alone": fitted(None, IDS),
            "together": fitted(group, IDS),
            "alone on one": fitted(None, [2]),
            "together on one": fitted(group, [2]),
            "spoilt": fitted(group, IDS, spoilt=2),
            "stopped": fitted(group, IDS, stops=rank == 1),
        }
    torch.save(result, folder / f"{rank}.pt")


if __name__ == "__main__":
    main()
