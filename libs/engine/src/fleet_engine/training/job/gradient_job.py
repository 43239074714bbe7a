"""Settings and data of a gradient training."""

from dataclasses import dataclass

from fleet_engine.data import Measurements
from fleet_engine.training.distributed.worker_group import WorkerGroup
from fleet_schemas import DataConfig, TrainingConfig


@dataclass(frozen=True, slots=True)
class GradientJob:
    """A gradient training.

    Attributes:
        training: settings of the training loop.
        data: data configuration with the splits.
        measurements: the opened data.
        loss_nodes: nodes whose outputs add up to the loss.
        metric_nodes: nodes whose metrics are reported.
        freeze_nodes: nodes that are not trained.
        unfreeze_nodes: nodes that are trained.
        group: the processes that train together; None: only this one.
    """

    training: TrainingConfig
    data: DataConfig
    measurements: Measurements
    loss_nodes: tuple[str, ...]
    metric_nodes: tuple[str, ...] = ()
    freeze_nodes: tuple[str, ...] = ()
    unfreeze_nodes: tuple[str, ...] = ()
    group: WorkerGroup | None = None

    @property
    def rank(self) -> int:
        """The number of this process among those that train together."""
        return 0 if self.group is None else self.group.rank

    @property
    def world_size(self) -> int:
        """The number of processes that train together."""
        return 1 if self.group is None else self.group.world_size
