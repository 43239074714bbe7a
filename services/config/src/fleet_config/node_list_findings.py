"""Checks that the nodes that a trainrun names are in its pipeline."""

from fleet_config.findings import Findings
from fleet_platform.shown_text import shown
from fleet_schemas import TrainRunConfig, nearest

_LISTS = ("loss_nodes", "metric_nodes", "freeze_nodes", "unfreeze_nodes")
_MAX_NAMED = 20


def check_node_lists(config: TrainRunConfig, names: list[str], findings: Findings) -> None:
    """Report names that are not nodes of the pipeline.

    A missing metric prevents only gradient training, so without losses it is a warning and not an
    error; published trainruns contain such a case.

    Args:
        config: the trainrun.
        names: the pipeline's nodes.
        findings: collects the results.
    """
    present = set(names)
    for key in _LISTS:
        harmless = key == "metric_nodes" and not config.loss_nodes
        for index, name in enumerate(getattr(config, key)):
            wanted = findings.wants_warnings if harmless else findings.wants_errors
            if name in present or not wanted:
                continue
            into = findings.warnings if harmless else findings.errors
            known = ", ".join(map(shown, names[:_MAX_NAMED]))
            into.append(
                f"{key}.{index}: the pipeline has no node '{shown(name)}'."
                f"{nearest(shown(name), names)} Its nodes: {known}"
            )
