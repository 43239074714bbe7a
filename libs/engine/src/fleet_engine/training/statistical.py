"""Statistical fitting: each wave of independent nodes in one pass over the data."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager

import networkx as nx
import torch
from torch import Tensor

from fleet_engine.graph.context import Context
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.training.fit_event import FitEvent
from fleet_platform.errors import Cancelled, InvalidInput
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.attributes import NODE

Batch = Mapping[str, object]
"""Values by input port: cube [B, H, W, C], wavelengths, mask, ..."""

_TRACER = tracer("fleet.engine")


def fit_statistics(
    pipeline: Pipeline,
    batches: Callable[[], Iterator[Batch]],
    on_event: Callable[[FitEvent], None],
    should_stop: Callable[[], bool],
    total: int = 0,
) -> None:
    """Fit all nodes that learn statistics, again if they were fitted before.

    What stands before a node runs at inference stage, tile by tile, so that no pass holds more than
    one batch as it was read.

    Args:
        pipeline: the pipeline whose nodes are fitted.
        batches: gives the training data from its beginning; called once for each pass.
        on_event: hears of the start, each batch and the end of each node's fit.
        should_stop: asked before each batch.
        total: measurements of one pass, for the events; 0: not known before the first pass ends.

    Raises:
        InvalidInput: a batch does not fit, or holds NaN or infinite values; the text names it.
        Cancelled: `should_stop` said so; the nodes of earlier waves keep their new statistics.
    """
    for wave in _waves(pipeline):
        with _TRACER.start_as_current_span("engine.fit", attributes={NODE: wave}), torch.no_grad():
            total = _fit_wave(
                pipeline,
                wave,
                batches=batches,
                on_event=on_event,
                should_stop=should_stop,
                total=total,
            )


def _fit_wave(
    pipeline: Pipeline,
    wave: list[str],
    *,
    batches: Callable[[], Iterator[Batch]],
    on_event: Callable[[FitEvent], None],
    should_stop: Callable[[], bool],
    total: int,
) -> int:
    """Fit one wave and return how many measurements the pass had."""
    plan = pipeline.compile(Stage.INFERENCE, wanted=(), fitting=wave)
    done = 0
    with _fits(pipeline, wave), _closed(batches()) as stream:
        for name in wave:
            on_event(FitEvent("start", name, 0, total))
        for index, batch in enumerate(stream):
            if should_stop():
                raise Cancelled(f"Stopped while fitting {', '.join(wave)}.")
            try:
                plan.run(batch, Context(Stage.INFERENCE, batch_idx=index))
            except InvalidInput as error:
                raise InvalidInput(
                    f"Fitting {', '.join(wave)}, batch {index}: {error.text}"
                ) from error
            done += _measurements(batch)
            for name in wave:
                on_event(FitEvent("progress", name, done, total))
        for name in wave:
            pipeline.nodes[name].fit_end()
            on_event(FitEvent("end", name, done, done))
    return done


@contextmanager
def _fits(pipeline: Pipeline, names: list[str]) -> Iterator[None]:
    """Begin the fits of some nodes; if anything goes wrong, abandon those that have not ended."""
    try:
        for name in names:
            pipeline.nodes[name].fit_begin()
        yield
    except BaseException:
        for name in names:
            pipeline.nodes[name].fit_abandon()
        raise


@contextmanager
def _closed(stream: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Close a generator even where an exception still holds on to it."""
    try:
        yield stream
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _measurements(batch: Batch) -> int:
    """Measurements in a batch: the first axis of its cube, or of its first tensor."""
    first = next((value for value in batch.values() if isinstance(value, Tensor)), None)
    cube = batch.get("cube", first)
    return int(cube.shape[0]) if isinstance(cube, Tensor) else 1


def _waves(pipeline: Pipeline) -> list[list[str]]:
    """Nodes to be fitted, in waves: a node's wave follows those of all that it depends on."""
    graph = pipeline.wiring.graph
    level: dict[str, int] = {}
    waves: list[list[str]] = []
    for name in nx.topological_sort(graph):
        before = max((level[source] for source in graph.predecessors(name)), default=0)
        fits = pipeline.nodes[name].requires_fit
        level[name] = before + 1 if fits else before
        if fits:
            if len(waves) < level[name]:
                waves.append([])
            waves[level[name] - 1].append(name)
    return waves
