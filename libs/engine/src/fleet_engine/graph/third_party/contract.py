"""What a class must have to be used as a node without being ours, and how it is spoken to."""

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
"""Fields of the published dataclasses for metrics and artifacts, as ours have them."""


def contract_faults(kind: type[nn.Module]) -> list[str]:
    """Say what a class lacks of the published node contract; nothing: it follows it."""
    faults = [
        f"{side} is no mapping of ports"
        for side in ("INPUT_SPECS", "OUTPUT_SPECS")
        if not isinstance(getattr(kind, side, None), Mapping)
    ]
    if kind.forward is nn.Module.forward:
        faults.append("it has no forward(**inputs, context)")
    return faults


def fits_on_data(node: ThirdPartyModule) -> bool:
    """Whether a node needs a fit: by its own word or, where it has none, by having the method."""
    declared_by_class = getattr(node, "requires_initial_fit", None)
    if declared_by_class is not None:
        return bool(declared_by_class)
    return callable(getattr(node, "statistical_initialization", None))


def stages_of(node: ThirdPartyModule) -> list[str]:
    """Names of the stages at which a node runs."""
    stages = getattr(node, "execution_stages", None) or (Stage.ALWAYS,)
    return sorted(str(getattr(stage, "value", stage)) for stage in stages)


def context_maker(node: ThirdPartyModule) -> Callable[[Context], Any]:
    """Find out which kind of context a node takes.

    It is the `Context` in the `execution` module of the package that the node's port specs come
    from. Where there is none, the node takes ours, whose attributes and stages have the published
    names.
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


def own_reports(value: Any) -> Any:
    """Turn the metrics and artifacts of a list into ours; any other value stays as it is."""
    return [_own_report(entry) for entry in value] if isinstance(value, list) else value


def _own_report(entry: Any) -> Any:
    if not dataclasses.is_dataclass(entry) or isinstance(entry, type | Metric | Artifact):
        return entry
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    if not fields.keys() >= _REPORT:
        return entry
    told = {key: fields[key] for key in _REPORT}
    told["stage"] = Stage(str(getattr(fields["stage"], "value", fields["stage"])))
    if "el_id" in fields:
        return Artifact(el_id=fields["el_id"], desc=fields.get("desc", ""), **told)
    return Metric(**told)
