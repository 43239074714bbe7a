"""Metrics reported by metric nodes."""

from dataclasses import dataclass

from fleet_engine.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of one batch.

    Attributes:
        name: such as iou.
        value: its value.
        stage: purpose of the run.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
    """

    name: str
    value: float
    stage: Stage
    epoch: int
    batch_idx: int
