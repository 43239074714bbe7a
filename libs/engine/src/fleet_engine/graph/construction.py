"""Makes a node from its class and hparams, and says plainly which hparam is wrong."""

import inspect
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError

from fleet_engine.graph.catalogue import node_class
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_schemas import NodeConfig


class _Hparam(NamedTuple):
    required: bool
    type: TypeAdapter[Any]


def make_node(config: NodeConfig, name: str) -> Node:
    """Make the node that `config` describes under the given, unique name.

    Raises:
        GraphInvalid: unknown class, a missing hparam, or one of the wrong type or range.
    """
    try:
        kind = node_class(config.class_name)
    except GraphInvalid as error:
        raise GraphInvalid(f"Node '{name}': {error.text}") from None
    given = {**config.hparams, "name": name}
    for key, hparam in _hparams(kind).items():  # type: ignore[arg-type]  # a class is hashable
        if key not in given:
            if hparam.required:
                raise GraphInvalid(
                    f"Node '{name}' ({kind.__name__}): the hparam '{key}' is missing."
                )
            continue
        try:
            given[key] = hparam.type.validate_python(given[key])
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise GraphInvalid(
                f"Node '{name}' ({kind.__name__}): the hparam '{key}' is {given[key]!r}: "
                f"{wrong['msg']}."
            ) from None
    try:
        return kind(**given)
    except ValueError as error:
        raise GraphInvalid(f"Node '{name}' ({kind.__name__}): {error}") from error


@lru_cache(maxsize=1024)
def _hparams(kind: type[Node]) -> dict[str, _Hparam]:
    """The hparams that a class declares in its constructor's signature."""
    hints = get_type_hints(kind.__init__, include_extras=True)
    return {
        key: _Hparam(
            required=parameter.default is inspect.Parameter.empty,
            type=TypeAdapter(hints.get(key, Any)),
        )
        for key, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
