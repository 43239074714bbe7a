"""Which published generation a run's settings are of."""

import json

from fleet_proto.records.v1.records_pb2 import RunRecord

_NEWEST_DATA_KEYS = frozenset({"splits", "data_module"})


def has_newest_form(run: RunRecord) -> bool:
    """Whether the settings have the form of the newest releases, whose trainings calibrate.

    That is flat training settings or, where there are none, data in the newer form.
    """
    if run.training_config_json:
        return "trainer" not in json.loads(run.training_config_json)
    return not _NEWEST_DATA_KEYS.isdisjoint(json.loads(run.data_config_json))
