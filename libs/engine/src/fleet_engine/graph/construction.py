"""Constructs nodes and reports invalid hparams."""

import inspect
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError
from torch import nn

from fleet_engine.graph.catalogue import is_built_in
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.graph.node import Node
from fleet_engine.graph.third_party.contract import contract_faults
from fleet_engine.graph.third_party.third_party_node import ThirdPartyNode
from fleet_platform.errors import AppError
from fleet_schemas import NodeConfig


class _Hparam(NamedTuple):
    required: bool
    type: TypeAdapter[Any]


def make_node(config: NodeConfig, kind: type[nn.Module], name: str) -> Node:
    """Construct the node that `config` describes.

    Args:
        config: the configuration of the node.
        kind: its class.
        name: its unique name.

    Raises:
        GraphInvalid: the class is not a node, or an hparam is missing or has a wrong type or range.
        Exhausted: the memory limit of a pipeline was reached.
    """
    place = f"Node '{name}' ({kind.__name__})"
    try:
        if not issubclass(kind, Node):
            return _make_third_party(kind, config, name)
        return kind(**_checked(kind, {**config.hparams, "name": name}))
    except ValueError as error:
        raise GraphInvalid(f"{place}: {error}") from error
    except Exception as error:
        if is_built_in(config.class_name) or isinstance(error, AppError):
            raise
        # Third-party code may raise anything.
        raise GraphInvalid(
            f"{place}: it cannot be constructed from its hparams ({type(error).__name__}: {error})."
        ) from error


def _make_third_party(kind: type[nn.Module], config: NodeConfig, name: str) -> Node:
    """Construct a node of a third-party class.

    Raises:
        ValueError: the class does not follow the published contract.
        Exception: the constructor failed.
    """
    faults = contract_faults(kind)
    if faults:
        raise ValueError(
            f"the class does not follow the contract of nodes: {'; '.join(faults)}. Needed: a "
            "subclass of the published Node or of fleet_engine.Node"
        )
    return ThirdPartyNode(kind(**config.hparams), name=name, hparams=config.hparams)


def _checked(kind: type[Node], given: dict[str, Any]) -> dict[str, Any]:
    """Return the hparams, converted to the types that the class declares.

    Raises:
        ValueError: an hparam is missing or has a wrong type or range.
    """
    for key, hparam in _hparams(kind).items():  # type: ignore[arg-type]  # a class is hashable
        if key not in given:
            if hparam.required:
                raise ValueError(f"the hparam '{key}' is missing")
            continue
        try:
            given[key] = hparam.type.validate_python(given[key])
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise ValueError(f"the hparam '{key}' is {given[key]!r}: {wrong['msg']}") from None
    return given


@lru_cache(maxsize=1024)
def _hparams(kind: type[Node]) -> dict[str, _Hparam]:
    """Return the hparams that a class declares in the signature of its constructor."""
    hints = get_type_hints(kind.__init__, include_extras=True)
    return {
        key: _Hparam(
            required=parameter.default is inspect.Parameter.empty,
            type=TypeAdapter(hints.get(key, Any)),
        )
        for key, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
