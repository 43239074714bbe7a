"""The node contract of third-party classes and the adapter protocol."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.context import Context
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.stage import Stage

ThirdPartyModule = Any
"""A torch module that has the attributes and methods of the published contract."""

_REPORT = {"name", "value", "stage", "epoch", "batch_idx"}
"""Fields that the published dataclasses for metrics and artifacts share with `Metric`."""


def contract_faults(kind: type[nn.Module]) -> list[str]:
    """Return how a class violates the published node contract; empty if it follows it."""
    faults = [
        f"{side} is not a mapping of ports"
        for side in ("INPUT_SPECS", "OUTPUT_SPECS")
        if not isinstance(getattr(kind, side, None), Mapping)
    ]
    if kind.forward is nn.Module.forward:
        faults.append("it has no forward(**inputs, context)")
    return faults


def fits_on_data(node: ThirdPartyModule) -> bool:
    """Return whether a node needs a fit: declared by the class or inferred from its methods."""
    declared_by_class = getattr(node, "requires_initial_fit", None)
    if declared_by_class is not None:
        return bool(declared_by_class)
    return callable(getattr(node, "statistical_initialization", None))


def stages_of(node: ThirdPartyModule) -> list[str]:
    """Return the names of the stages at which a node runs."""
    stages = getattr(node, "execution_stages", None) or (Stage.ALWAYS,)
    return sorted(str(getattr(stage, "value", stage)) for stage in stages)


def context_maker(node: ThirdPartyModule) -> Callable[[Context], Any]:
    """Return a function that converts a `Context` to the kind that a node expects.

    The expected kind is the `Context` in the `execution` module of the package that defines the
    port specs of the node. Without such a module, the context is passed unchanged; its attributes
    and stages have the published names.
    """
    declared = [*node.INPUT_SPECS.values(), *node.OUTPUT_SPECS.values()]
    specs = [spec[0] if isinstance(spec, list) else spec for spec in declared]
    for package in sorted({type(spec).__module__.partition(".")[0] for spec in specs}):
        try:
            kind = importlib.import_module(f"{package}.execution").Context
        except (ImportError, AttributeError):
            continue
        stage = type(kind().stage)
        return lambda ours: kind(
            stage=stage(ours.stage.value),
            epoch=ours.epoch,
            batch_idx=ours.batch_idx,
            global_step=ours.global_step,
        )
    return lambda ours: ours


def to_reports(value: Any) -> Any:
    """Convert the metrics and artifacts in a list to `Metric` and `Artifact`.

    Any other value is returned unchanged.
    """
    return [_to_report(entry) for entry in value] if isinstance(value, list) else value


def _to_report(entry: Any) -> Any:
    if not dataclasses.is_dataclass(entry) or isinstance(entry, type | Metric | Artifact):
        return entry
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    if not fields.keys() >= _REPORT:
        return entry
    shared = {key: fields[key] for key in _REPORT}
    shared["stage"] = Stage(str(getattr(fields["stage"], "value", fields["stage"])))
    if "el_id" in fields:
        return Artifact(el_id=fields["el_id"], desc=fields.get("desc", ""), **shared)
    return Metric(**shared)
