"""The nodes that a trainrun names."""

from typing import NamedTuple

from fleet_schemas import TrainRunConfig, parse_config


class NodeLists(NamedTuple):
    """Names of nodes by what a gradient training does with them.

    Attributes:
        loss_nodes: their outputs add up to the loss.
        metric_nodes: their metrics are reported.
        freeze_nodes: they stay as they are.
        unfreeze_nodes: they are trained.
    """

    loss_nodes: tuple[str, ...] = ()
    metric_nodes: tuple[str, ...] = ()
    freeze_nodes: tuple[str, ...] = ()
    unfreeze_nodes: tuple[str, ...] = ()

    @classmethod
    def of(cls, trainrun_config_json: bytes) -> "NodeLists":
        """Those of a trainrun; all empty where there is none."""
        if not trainrun_config_json:
            return cls()
        trainrun = parse_config(TrainRunConfig, trainrun_config_json, "trainrun")
        return cls(*(tuple(getattr(trainrun, name)) for name in cls._fields))
