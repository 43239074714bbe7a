"""Settings of a run that decide how it is trained."""

import json
from typing import NamedTuple

from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_schemas import TrainRunConfig, parse_config

_NEWEST_DATA_KEYS = frozenset({"splits", "data_module"})


class NodeLists(NamedTuple):
    """Names of nodes, by their role in a gradient training.

    Attributes:
        loss_nodes: Their outputs are added up to the loss.
        metric_nodes: Their metrics are reported.
        freeze_nodes: They are not trained.
        unfreeze_nodes: They are trained.
    """

    loss_nodes: tuple[str, ...] = ()
    metric_nodes: tuple[str, ...] = ()
    freeze_nodes: tuple[str, ...] = ()
    unfreeze_nodes: tuple[str, ...] = ()

    @classmethod
    def of(cls, trainrun_config_json: bytes) -> "NodeLists":
        """Return the lists of a trainrun; all are empty if there is no trainrun."""
        if not trainrun_config_json:
            return cls()
        trainrun = parse_config(TrainRunConfig, trainrun_config_json, "trainrun")
        return cls(*(tuple(getattr(trainrun, name)) for name in cls._fields))


def has_newest_form(run: RunRecord) -> bool:
    """Return whether the settings have the form of the newest releases, which calibrate.

    That form has flat training settings or, without training settings, the newer keys of data.
    """
    if run.training_config_json:
        return "trainer" not in json.loads(run.training_config_json)
    return not _NEWEST_DATA_KEYS.isdisjoint(json.loads(run.data_config_json))
