"""Looks whether the nodes that a trainrun names are in its pipeline."""

from fleet_config.findings import Findings
from fleet_platform.shown_text import shown
from fleet_schemas import TrainRunConfig, nearest

_LISTS = ("loss_nodes", "metric_nodes", "freeze_nodes", "unfreeze_nodes")
_MAX_NAMED = 20


def check_node_lists(config: TrainRunConfig, names: list[str], findings: Findings) -> None:
    """Find names that the pipeline does not have.

    A metric that is not there keeps only gradient training from running, so it is doubtful and no
    error in a trainrun without losses; published trainruns have one.

    Args:
        config: the trainrun.
        names: of the pipeline's nodes.
        findings: what is found is added here.
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
