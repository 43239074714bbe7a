"""Consecutive nodes of a plan that run together, at once or tile by tile."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span

from fleet_engine.graph.context import Context
from fleet_engine.graph.execution.node_times import NodeTimes
from fleet_engine.graph.execution.step import Step
from fleet_engine.graph.execution.tiles import Tiles
from fleet_engine.graph.port_spec import describe
from fleet_platform.errors import InvalidInput
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.attributes import NODE
from fleet_platform.telemetry.catalogue import spans

_TRACER = tracer(spans.SEGMENT.scope)


@dataclass(frozen=True, slots=True)
class Segment:
    """Steps that run together.

    Attributes:
        steps: in order.
        pixelwise: all nodes process each pixel independently, so the steps run tile by tile.
        width: maximum number of values per pixel inside a node, derived from its matrices.
        pixel_inputs: input keys that run along the pixels, each with its place in words.
        shared_inputs: the other input keys.
        pixel_results: result keys that run along the pixels.
        shared_results: the other result keys.
        drops: input keys that are used here for the last time.
    """

    steps: tuple[Step, ...]
    pixelwise: bool
    width: int
    pixel_inputs: tuple[tuple[str, str], ...]
    shared_inputs: tuple[str, ...]
    pixel_results: tuple[str, ...]
    shared_results: tuple[str, ...]
    drops: tuple[str, ...]

    def span(self) -> AbstractContextManager[Span]:
        """Return a span that names the nodes."""
        names = [step.node.name for step in self.steps]
        return _TRACER.start_as_current_span(spans.SEGMENT.name, attributes={NODE: names})

    def run(
        self,
        values: dict[str, Any],
        context: Context,
        *,
        tiled: bool,
        times: NodeTimes | None = None,
    ) -> None:
        """Run all steps on `values` and add the results to it; `times` records each step."""
        present = [(key, place) for key, place in self.pixel_inputs if key in values]
        if self.pixelwise and tiled and present:
            _refuse_unequal_extents(values, present)
            self._run_tiled(values, [key for key, _ in present], context, times)
        else:
            self._run_steps(values, context, times)
        for key in self.drops:
            values.pop(key, None)

    def _run_steps(self, values: dict[str, Any], context: Context, times: NodeTimes | None) -> None:
        if times is None:
            for step in self.steps:
                step.run(values, context)
            return
        for step in self.steps:
            with times.of(step.node.name):
                step.run(values, context)

    def _run_tiled(
        self, values: dict[str, Any], along: list[str], context: Context, times: NodeTimes | None
    ) -> None:
        shared = {key: values[key] for key in self.shared_inputs if key in values}

        def compute(tile: dict[str, Any]) -> None:
            tile.update(shared)
            self._run_steps(tile, context, times)

        # A fit needs each pixel exactly once, and its sums in a fixed order.
        fits = any(step.fits for step in self.steps)
        tiles = Tiles({key: values[key] for key in along}, exact=fits, width=self.width)
        results, first = tiles.run(compute, self.pixel_results, parallel=not fits)
        values.update(results)
        values.update({key: first[key] for key in self.shared_results if key in first})


def _refuse_unequal_extents(values: dict[str, Any], present: list[tuple[str, str]]) -> None:
    """Refuse inputs along the pixels that differ in [B, H, W]."""
    first_key, first_place = present[0]
    extent_BHW = values[first_key].shape[:3]
    for key, place in present[1:]:
        if values[key].shape[:3] != extent_BHW:
            raise InvalidInput(
                f"{place}: got {describe(values[key])}; expected the extent {list(extent_BHW)} "
                f"[B, H, W] of {first_place}."
            )
