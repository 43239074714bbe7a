"""Pictures drawn by visualizer nodes. Shape letters: H height, W width."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from fleet_engine.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Artifact:
    """One picture of one batch.

    Attributes:
        name: unique within the node and batch, such as anomaly_mask_img00.
        value: the picture, uint8 RGB [H, W, 3].
        el_id: index of the measurement in the batch.
        desc: one-line description.
        stage: purpose of the run.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
        type: kind of `value`; always image.
    """

    name: str
    value: npt.NDArray[Any]
    el_id: int
    desc: str
    stage: Stage
    epoch: int
    batch_idx: int
    type: str = "image"
