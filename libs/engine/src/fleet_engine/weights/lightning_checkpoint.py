"""Lightning checkpoints: a flat ``state_dict`` next to optimizer states and other data.

The published trainer keeps the nodes in a list, so its keys contain the number of the node
(``pipeline_modules.3.mu``); this project's trainer uses names (``nodes.RXGlobal.mu``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fleet_engine.weights.layout import outline, plain_tensor, wrong_layout
from fleet_engine.weights.state import State, WeightsMismatch

_BY_NUMBER = "pipeline_modules"
_BY_NAME = "nodes"


def is_flat(state_dict: Mapping[Any, Any]) -> bool:
    """Return whether a state dict maps dotted keys to tensors, not nodes to mappings."""
    return bool(state_dict) and not any(isinstance(value, Mapping) for value in state_dict.values())


def by_node(state_dict: Mapping[Any, Any], nodes: Sequence[str]) -> State:
    """Group the values of a checkpoint by node; other entries are ignored.

    Args:
        state_dict: tensors by ``pipeline_modules.<number>.<key>`` or ``nodes.<node>.<key>``.
        nodes: names of the pipeline's nodes in the order of their numbers.

    Raises:
        InvalidInput: no entry belongs to a node, or one is not a plain tensor.
        WeightsMismatch: a number exceeds those of the pipeline's nodes.
    """
    state: State = {}
    for path, value in state_dict.items():
        prefix, _, rest = str(path).partition(".")
        place, _, key = rest.partition(".")
        if prefix not in {_BY_NUMBER, _BY_NAME} or not key:
            continue
        name = _named(place, nodes) if prefix == _BY_NUMBER else place
        state.setdefault(name, {})[key] = plain_tensor(str(path), value)
    if not state:
        raise wrong_layout(f"a state_dict that is {outline(state_dict)}")
    return state


def _named(number: str, nodes: Sequence[str]) -> str:
    if not (number.isascii() and number.isdigit()):
        raise wrong_layout(f"a state_dict with '{_BY_NUMBER}.{number[:20]}', which is not a number")
    if len(number) > 9 or int(number) >= len(nodes):
        raise WeightsMismatch(
            f"The weights do not fit the pipeline: the checkpoint has values of node number "
            f"{number[:20]}, the pipeline has {len(nodes)} nodes, numbered from 0 "
            f"({', '.join(nodes[:4])}{', ...' if len(nodes) > 4 else ''})."
        )
    return nodes[int(number)]
