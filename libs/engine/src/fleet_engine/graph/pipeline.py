"""A built pipeline: nodes, their connections, and the plans compiled so far."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import torch

from fleet_engine.graph.execution.plan import Plan, match
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import PortSpec
from fleet_engine.graph.stage import Stage
from fleet_engine.graph.wiring import Wiring
from fleet_schemas import PipelineConfig

_MAX_PLANS = 64
_NODE_BYTES = 16 * 1024
"""Memory of a node besides its tensors: modules and plans; measured and rounded up."""
_BYTES_PER_CHARACTER = 8
"""Memory of a config for each byte of its JSON text."""


class Pipeline:
    """Nodes and their connections, created by `build_pipeline`.

    Attributes:
        config: the configuration.
        nodes: the nodes by name, in the config's order.
        wiring: the checked connections.
        device: device of the computation.
    """

    def __init__(
        self,
        config: PipelineConfig,
        nodes: Mapping[str, Node],
        wiring: Wiring,
        config_json_bytes: int = 0,
    ) -> None:
        """Create a pipeline from checked parts.

        Args:
            config: the configuration.
            nodes: the nodes by name, in the config's order.
            wiring: the checked connections.
            config_json_bytes: length of `config` as JSON, for `size_bytes`.
        """
        self.config = config
        self.nodes = dict(nodes)
        self.wiring = wiring
        self.device = torch.device("cpu")
        self._plans: dict[tuple[Stage, tuple[str, ...]], Plan] = {}
        self._objects_bytes = (
            len(self.nodes) * _NODE_BYTES + config_json_bytes * _BYTES_PER_CHARACTER
        )
        self._keys: dict[Stage, tuple[str, ...]] = {}

    @property
    def size_bytes(self) -> int:
        """Memory of all parameters and buffers, plus an estimate for nodes and config.

        Without the estimate, a thousand nodes without parameters would appear to need no memory.
        """
        return self._objects_bytes + sum(
            tensor.nbytes
            for node in self.nodes.values()
            for tensor in (*node.parameters(), *node.buffers())
        )

    def to(self, device: torch.device | str) -> "Pipeline":
        """Move all nodes to a device; no run may be in progress."""
        self.device = torch.device(device)
        for node in self.nodes.values():
            node.to(self.device)
        self._plans.clear()
        return self

    def inputs(self) -> dict[str, PortSpec]:
        """Return the unconnected inputs by bare port name.

        Of several inputs with the same name, the type of the last one counts; the input is optional
        only if all of them are.
        """
        found: dict[str, PortSpec] = {}
        for name, node in self.nodes.items():
            for port, spec in node.INPUT_SPECS.items():
                if (name, port) not in self.wiring.sources:
                    needed = port in found and not found[port].optional
                    found[port] = replace(spec, optional=False) if needed else spec
        return found

    def outputs(self) -> dict[str, PortSpec]:
        """Return the unconnected outputs by ``node.port``."""
        connected = {key for keys in self.wiring.sources.values() for key in keys}
        return {
            key: spec
            for name, node in self.nodes.items()
            for port, spec in node.OUTPUT_SPECS.items()
            if (key := f"{name}.{port}") not in connected
        }

    def plan(self, stage: Stage, requested: frozenset[str] = frozenset()) -> Plan:
        """Return the plan for a kind of run, compiled at its first use.

        Args:
            stage: purpose of the run.
            requested: outputs by ``node.port`` or bare port name; empty means all. Names without
                a match are ignored.
        """
        # The cache key is the resolved outputs, since a request may be arbitrarily long.
        wanted = match(requested, self._output_keys(stage))
        plan = self._plans.get((stage, wanted))
        if plan is None:
            plan = self.compile(stage, wanted, traced=True)
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            self._plans[stage, wanted] = plan
        return plan

    def compile(
        self,
        stage: Stage,
        wanted: Iterable[str],
        fitting: Collection[str] = (),
        sinks: Collection[str] = (),
        *,
        traced: bool = False,
    ) -> Plan:
        """Compile a plan for exactly the wanted outputs ``node.port``, nodes to fit and sinks."""
        return Plan(
            self.nodes,
            self.wiring,
            stage,
            wanted,
            device=self.device,
            fitting=fitting,
            sinks=sinks,
            traced=traced,
        )

    def _output_keys(self, stage: Stage) -> tuple[str, ...]:
        keys = self._keys.get(stage)
        if keys is None:
            keys = self._keys[stage] = tuple(
                f"{name}.{port}"
                for name, node in self.nodes.items()
                if node.runs_at(stage)
                for port in node.OUTPUT_SPECS
            )
        return keys
