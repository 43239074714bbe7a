"""Compiled plans: the order of computation and the lifetime of each value."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from opentelemetry.trace import INVALID_SPAN, Span
from torch import Tensor

from fleet_engine.graph.context import Context
from fleet_engine.graph.errors import GraphInvalid, NotFitted
from fleet_engine.graph.execution.node_times import NodeTimes
from fleet_engine.graph.execution.segment import Segment
from fleet_engine.graph.execution.step import Input, Step
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import PortSpec, describe
from fleet_engine.graph.stage import Stage
from fleet_engine.graph.wiring import Wiring
from fleet_platform.errors import InvalidInput
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.catalogue import spans

_TRACER = tracer(spans.PLAN.scope)
_NO_SPAN = nullcontext(INVALID_SPAN)


class _Entry(NamedTuple):
    """An input that comes from the batch; it is checked before anything is computed."""

    node: Node
    port: str
    spec: PortSpec


class Plan:
    """The compiled form of a run: immutable and safe to use from many threads."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        wiring: Wiring,
        stage: Stage,
        wanted: Iterable[str],
        *,
        device: torch.device,
        fitting: Collection[str] = (),
        sinks: Collection[str] = (),
        traced: bool = False,
    ) -> None:
        """Compile a plan.

        Args:
            nodes: all nodes of the pipeline by name.
            wiring: their connections.
            stage: purpose of the runs.
            wanted: outputs ``node.port`` to return.
            device: device of the computation.
            fitting: nodes that add their inputs to their statistics instead of computing.
            sinks: nodes that run for their side effects, even if no output of theirs is wanted.
            traced: each run is a span that contains a span for each group of nodes; not meant
                for the many runs of a training.

        Raises:
            GraphInvalid: a required node is fed by one that does not run at `stage`.
        """
        self._nodes = nodes
        self._wiring = wiring
        self._stage = stage
        self._wanted = tuple(wanted)
        self._device = device
        self._fitting = frozenset(fitting)
        self._sinks = frozenset(sinks)
        self._traced = traced
        ordered = self._order(self._needed())
        self._entries = tuple(
            _Entry(nodes[name], port, spec)
            for name in ordered
            for port, spec in nodes[name].INPUT_SPECS.items()
            if (name, port) not in wiring.sources and not spec.variadic
        )
        self._must_be_ready = tuple(nodes[name] for name in ordered if name not in self._fitting)
        self._segments = tuple(self._compile(ordered))

    @property
    def node_names(self) -> tuple[str, ...]:
        """The nodes that run, in order."""
        return tuple(step.node.name for segment in self._segments for step in segment.steps)

    def run(
        self, batch: Mapping[str, object], context: Context, times: NodeTimes | None = None
    ) -> dict[str, Any]:
        """Compute the wanted outputs of one batch.

        Args:
            batch: values by bare input port name; values that no node uses are ignored.
            context: the position in the run.
            times: records the time that each node takes; None: not recorded.

        Returns:
            The wanted outputs by ``node.port``, on the pipeline's device. An optional output is
            absent if its input is.

        Raises:
            InvalidInput: an input is missing or does not match; the text names node and port.
            NotFitted: a node has no statistics yet.
        """
        inference = self._stage is Stage.INFERENCE
        with self._span() as span, torch.inference_mode() if inference else nullcontext():
            self._refuse_unfitted()
            values = self._enter(batch)
            recorded = span.is_recording()
            for segment in self._segments:
                with segment.span() if recorded else nullcontext():
                    segment.run(values, context, tiled=inference, times=times)
            return {key: values[key] for key in self._wanted if key in values}

    def _span(self) -> AbstractContextManager[Span]:
        return _TRACER.start_as_current_span(spans.PLAN.name) if self._traced else _NO_SPAN

    def _refuse_unfitted(self) -> None:
        unfitted = [node.name for node in self._must_be_ready if not node.ready]
        if unfitted:
            raise NotFitted(
                f"No statistics yet: {', '.join(unfitted)}. First call Train (statistical) or "
                "LoadPipelineWeights."
            )

    def _enter(self, batch: Mapping[str, object]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for node, port, spec in self._entries:
            value = batch.get(port)
            if value is None:
                if spec.optional:
                    continue
                raise InvalidInput(
                    f"Node '{node.name}', input '{port}': the request has no '{port}'; "
                    f"expected {spec}."
                )
            if not spec.admits(value) or _has_wrong_rank(node, port, value):
                raise node.refuse(port, describe(value), str(spec))
            if isinstance(value, Tensor):
                if not spec.is_any and value.numel() == 0:
                    raise node.refuse(port, f"the empty {describe(value)}", "at least one element")
                value = value.to(self._device, non_blocking=True)
            values[f".{port}"] = value
        return values

    def _needed(self) -> set[str]:
        """Return the names of the nodes that must run."""
        targets = {key.partition(".")[0] for key in self._wanted} | self._fitting | self._sinks
        needed: set[str] = set()
        pending = list(targets)
        while pending:
            name = pending.pop()
            if name in needed:
                continue
            needed.add(name)
            node = self._nodes[name]
            for port, spec in node.INPUT_SPECS.items():
                for key in self._wiring.sources.get((name, port), ()):
                    source = key.partition(".")[0]
                    if self._nodes[source].runs_at(self._stage):
                        pending.append(source)
                    elif not spec.optional:
                        raise GraphInvalid(
                            f"Node '{name}' runs at {self._stage}, but its input '{port}' comes "
                            f"from '{source}', which does not."
                        )
        return needed

    def _order(self, needed: set[str]) -> list[str]:
        """Return a topological order that groups pixelwise nodes, else follows the config."""
        graph = self._wiring.graph.subgraph(needed)
        waiting = {name: graph.in_degree(name) for name in self._nodes if name in needed}
        ordered: list[str] = []
        pixelwise = True
        while waiting:
            ready = [name for name, missing in waiting.items() if missing == 0]
            alike = [name for name in ready if bool(self._nodes[name].pixel_ports) is pixelwise]
            name = (alike or ready)[0]
            pixelwise = bool(self._nodes[name].pixel_ports)
            ordered.append(name)
            del waiting[name]
            for follower in graph.successors(name):
                waiting[follower] -= 1
        return ordered

    def _bind(self, name: str) -> Iterator[Input]:
        for port, spec in self._nodes[name].INPUT_SPECS.items():
            keys = self._wiring.sources.get((name, port))
            if keys is None:
                if not spec.variadic:
                    yield Input(port, (f".{port}",), spec, check=False)
                continue
            loose = not all(spec.always_takes(self._spec_of(key)) for key in keys)
            yield Input(port, keys, spec, check=loose)

    def _spec_of(self, key: str) -> PortSpec:
        name, _, port = key.partition(".")
        return self._nodes[name].OUTPUT_SPECS[port]

    def _compile(self, ordered: list[str]) -> Iterator[Segment]:
        bindings = {name: tuple(self._bind(name)) for name in ordered}
        last_use: dict[str, str] = {}
        for name in ordered:
            last_use.update({key: name for bound in bindings[name] for key in bound.keys})
        for group in _groups(ordered, self._nodes):
            yield self._segment(group, bindings, last_use)

    def _segment(
        self, group: list[str], bindings: Mapping[str, tuple[Input, ...]], last_use: dict[str, str]
    ) -> Segment:
        inside = set(group)
        made = {f"{name}.{port}" for name in group for port in self._nodes[name].OUTPUT_SPECS}
        outside: dict[str, tuple[str, str]] = {}
        for name in group:
            for bound in bindings[name]:
                for key in bound.keys:
                    if key not in made:
                        outside.setdefault(key, (name, bound.port))
        kept = [
            key
            for name in group
            for port in self._nodes[name].OUTPUT_SPECS
            if (key := f"{name}.{port}") in self._wanted
            or (key in last_use and last_use[key] not in inside)
        ]
        along = {
            key: f"Node '{name}', input '{port}'"
            for key, (name, port) in outside.items()
            if port in self._nodes[name].pixel_ports
        }
        return Segment(
            steps=tuple(self._step(name, bindings[name], last_use, kept) for name in group),
            pixelwise=bool(self._nodes[group[0]].pixel_ports),
            width=_width(self._nodes[name] for name in group),
            pixel_inputs=tuple(along.items()),
            shared_inputs=tuple(key for key in outside if key not in along),
            pixel_results=tuple(key for key in kept if self._runs_along_pixels(key)),
            shared_results=tuple(key for key in kept if not self._runs_along_pixels(key)),
            drops=tuple(
                key for key in outside if last_use[key] in inside and key not in self._wanted
            ),
        )

    def _step(
        self,
        name: str,
        bound: tuple[Input, ...],
        last_use: Mapping[str, str],
        kept: Collection[str],
    ) -> Step:
        node = self._nodes[name]
        fits = name in self._fitting
        made = [(port, f"{name}.{port}") for port in node.OUTPUT_SPECS if not fits]
        used = {key for one in bound for key in one.keys}
        return Step(
            node=node,
            inputs=bound,
            outputs=tuple((port, key) for port, key in made if key in last_use or key in kept),
            drops=tuple(
                sorted(
                    key
                    for key in used
                    if last_use[key] == name and key not in kept and key not in self._wanted
                )
            ),
            fits=fits,
        )

    def _runs_along_pixels(self, key: str) -> bool:
        name, _, port = key.partition(".")
        return port in self._nodes[name].pixel_ports


def _has_wrong_rank(node: Node, port: str, value: object) -> bool:
    """Return whether a value along the pixels has a different rank than declared.

    This is checked before the value is split into tiles, even if the node checks the value itself,
    so that the error shows the shape that was sent.
    """
    rank = len(node.INPUT_SPECS[port].shape)
    return port in node.pixel_ports and isinstance(value, Tensor) and value.ndim != rank


def _groups(ordered: list[str], nodes: Mapping[str, Node]) -> Iterator[list[str]]:
    """Yield groups of consecutive nodes that are all pixelwise or all not."""
    group: list[str] = []
    for name in ordered:
        if group and bool(nodes[name].pixel_ports) is not bool(nodes[group[0]].pixel_ports):
            yield group
            group = []
        group.append(name)
    if group:
        yield group


def _width(nodes: Iterable[Node]) -> int:
    """Return the number of values per pixel of the widest matrix of the nodes."""
    matrices = (
        tensor
        for node in nodes
        for tensor in (*node.parameters(), *node.buffers())
        if tensor.ndim == 2
    )
    return max((max(matrix.shape) for matrix in matrices), default=1)


def match(requested: frozenset[str], keys: Iterable[str]) -> tuple[str, ...]:
    """Return the requested outputs, by full key or bare port name; all for an empty request."""
    return tuple(
        key
        for key in keys
        if not requested or key in requested or key.partition(".")[2] in requested
    )


__all__ = ["Plan", "match"]
