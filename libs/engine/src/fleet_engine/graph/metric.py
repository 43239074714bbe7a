"""What metric nodes report."""

from dataclasses import dataclass

from fleet_engine.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about one batch.

    Attributes:
        name: such as iou.
        value: the number.
        stage: purpose of the run.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
    """

    name: str
    value: float
    stage: Stage
    epoch: int
    batch_idx: int
