"""The state of a pipeline as node -> key -> tensor, and its loading."""

from collections.abc import Collection, Iterable, Mapping

from torch import Tensor

from fleet_engine.graph.pipeline import Pipeline
from fleet_platform.errors import InvalidInput

State = dict[str, dict[str, Tensor]]
"""Tensors by node and key; a node without state has an empty mapping."""


class WeightsMismatch(InvalidInput):
    """The state does not match the pipeline; the text names node, key and shapes."""


def state_of(pipeline: Pipeline) -> State:
    """Return the detached state of every node, which shares memory with the pipeline."""
    return {
        name: {key: value.detach() for key, value in node.state_dict().items()}
        for name, node in pipeline.nodes.items()
    }


def fitted_nodes(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of the nodes whose statistics were fitted or loaded."""
    return tuple(name for name, node in pipeline.nodes.items() if node.fitted)


def load_state(
    pipeline: Pipeline,
    state: Mapping[str, Mapping[str, Tensor]],
    strict: bool,
    fitted: Collection[str] | None = None,
) -> None:
    """Load a state, either completely or not at all.

    Nodes that the pipeline does not have are ignored. A node that needs a fit and receives a value
    counts as fitted if `fitted` names it or, if that is unknown, if its values are finite:
    statistics that were never fitted may be NaN.

    Args:
        pipeline: the pipeline to load into.
        state: values by node and key.
        strict: the state must contain every key of every node and no others.
        fitted: nodes that were fitted when the state was captured; None: unknown.

    Raises:
        WeightsMismatch: a shape differs or, if strict, a key is missing or unknown.
    """
    own = state_of(pipeline)
    faults = _shape_faults(pipeline, own, state)
    if strict:
        faults += _key_faults(own, state)
    if faults:
        raise WeightsMismatch(f"The weights do not fit the pipeline: {'; '.join(faults)}.")
    for name, node in pipeline.nodes.items():
        given = state.get(name, {})
        taken = {key: given[key] for key in own[name] if key in given}
        node.load_values(taken)
        if taken and node.requires_fit:
            node.fitted = _all_finite(taken.values()) if fitted is None else name in fitted


def _all_finite(values: Iterable[Tensor]) -> bool:
    return all(bool(value.float().isfinite().all()) for value in values)


def _shape_faults(
    pipeline: Pipeline, own: State, state: Mapping[str, Mapping[str, Tensor]]
) -> list[str]:
    return [
        f"{name}.{key} has shape {list(state[name][key].shape)}, the pipeline's has "
        f"{list(value.shape)}"
        for name, values in own.items()
        for key, value in values.items()
        if key in state.get(name, {})
        and state[name][key].shape != value.shape
        and key not in pipeline.nodes[name].resizable
    ]


def _key_faults(own: State, state: Mapping[str, Mapping[str, Tensor]]) -> list[str]:
    missing = [
        f"{name}.{key}"
        for name, values in own.items()
        for key in values
        if key not in state.get(name, {})
    ]
    unknown = [
        f"{name}.{key}"
        for name, values in own.items()
        for key in state.get(name, {})
        if key not in values
    ]
    faults = []
    if missing:
        unknown_nodes = [name for name, values in state.items() if values and name not in own]
        hint = (
            f" (nodes unknown to the pipeline: {', '.join(unknown_nodes)})" if unknown_nodes else ""
        )
        faults.append(f"missing {', '.join(missing)}{hint}")
    if unknown:
        faults.append(f"unknown {', '.join(unknown)}")
    return faults
