"""A node within a plan, and its bindings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet_engine.graph.context import Context
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import PortSpec, describe
from fleet_platform.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Input:
    """The source of a port's value.

    Attributes:
        port: name of the input port.
        keys: outputs ``node.port`` that feed it, or the one batch entry ``.port``.
        spec: the port's type.
        check: whether each value is checked, because its source does not guarantee the type.
    """

    port: str
    keys: tuple[str, ...]
    spec: PortSpec
    check: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A node with its bindings.

    Attributes:
        node: the node.
        inputs: its bound inputs.
        outputs: pairs of port and key, for outputs that are used later.
        drops: keys that are used here for the last time.
        fits: the node adds the values to its statistics instead of computing outputs.
    """

    node: Node
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...]
    drops: tuple[str, ...]
    fits: bool

    def run(self, values: dict[str, Any], context: Context) -> None:
        """Read the inputs from `values` and add the outputs to it."""
        ports = {}
        for bound in self.inputs:
            value = self._fetch(bound, values)
            if value is not None:
                ports[bound.port] = value
        if self.fits:
            self.node.fit_update(**ports)
        else:
            given = self.node(**ports, context=context)
            for port, key in self.outputs:
                value = given.get(port)
                if value is not None:
                    values[key] = value
        for key in self.drops:
            values.pop(key, None)

    def _fetch(self, bound: Input, values: Mapping[str, Any]) -> Any:
        if bound.spec.variadic:
            return [values[key] for key in bound.keys if key in values]
        key = bound.keys[0]
        value = values.get(key)
        if value is None:
            if bound.spec.optional:
                return None
            raise self._missing(bound, key)
        if bound.check and not bound.spec.admits(value):
            raise self.node.refuse(bound.port, describe(value), str(bound.spec))
        return value

    def _missing(self, bound: Input, key: str) -> InvalidInput:
        if key.startswith("."):
            text = f"the request has no '{bound.port}'; expected {bound.spec}"
        else:
            text = f"'{key}' has no value, because an optional input of the request is absent"
        return InvalidInput(f"Node '{self.node.name}', input '{bound.port}': {text}.")
