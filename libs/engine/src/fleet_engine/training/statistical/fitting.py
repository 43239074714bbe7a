"""Statistical fitting, with one pass over the data for each stage of independent nodes."""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fleet_engine.graph.context import Context
from fleet_engine.graph.node import Node
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.training.distributed.data_shard import DataShard, Sums
from fleet_engine.training.statistical.fit_event import FitEvent
from fleet_engine.training.statistical.fit_stages import fit_stages
from fleet_platform.errors import Cancelled, InvalidInput
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.attributes import NODE
from fleet_platform.telemetry.catalogue import spans

Batch = Mapping[str, object]
"""Values by input port: cube [B, H, W, C], wavelengths, mask, ..."""

_TRACER = tracer(spans.FIT.scope)


def fit_statistics(
    pipeline: Pipeline,
    batches: Callable[[], Iterator[Batch]],
    on_event: Callable[[FitEvent], None],
    should_stop: Callable[[], bool],
    total: int = 0,
    *,
    only: Collection[str] | None = None,
    shard: DataShard | None = None,
) -> None:
    """Fit all nodes that learn statistics, including those that were fitted before.

    The predecessors of a node run at inference stage, tile by tile, so that a pass keeps only one
    batch in memory.

    If several processes call this at the same time, each reads its shard of the data, and all
    compute bit-identical statistics. Every process fits nodes whose fits cannot be merged on all
    data.

    Args:
        pipeline: the pipeline whose nodes are fitted.
        batches: returns the training data from the beginning; called once for each pass.
        on_event: receives start, each batch and end of the fit of each node.
        should_stop: called before each batch; True cancels.
        total: measurements of one pass, or of the shard if given; 0: unknown before the first
            pass ends.
        only: names of the nodes to fit, for example `unfitted_nodes`; None: all.
        shard: the data shard of this process; None: one process reads all data.

    Raises:
        InvalidInput: a batch does not match, or contains NaN or infinite values; the text names it.
        Cancelled: `should_stop` returned True, here or in another process; the nodes of earlier
            stages keep their new statistics.
    """
    fit = _Fit(pipeline, batches, on_event, should_stop, shard, total)
    for stage in fit_stages(pipeline, only):
        with (
            _TRACER.start_as_current_span(spans.FIT.name, attributes={NODE: stage}),
            torch.no_grad(),
        ):
            fit.run(stage)


@dataclass
class _Fit:
    pipeline: Pipeline
    batches: Callable[[], Iterator[Batch]]
    on_event: Callable[[FitEvent], None]
    should_stop: Callable[[], bool]
    shard: DataShard | None
    total: int

    def run(self, stage: list[str]) -> None:
        """Fit the nodes of one stage."""
        nodes = [self.pipeline.nodes[name] for name in stage]
        with _fitting(nodes):
            self._send("start", stage, 0)
            if self.shard is None:
                self.total = self._pass(stage, self.batches)
            else:
                self._merge(self.shard.gather(lambda: self._part(stage)))
            # No node must complete its fit if another one could not process the data.
            for node in nodes:
                node.fit_settle()
            for node in nodes:
                node.fit_end()
                self._send("end", [node.name], self.total)

    def _part(self, stage: list[str]) -> Sums:
        """Fit on the shard of this process, and on all data where fits cannot be merged."""
        mergeable = [name for name in stage if self.pipeline.nodes[name].mergeable]
        others = [name for name in stage if name not in mergeable]
        if others:
            self._pass(others, self.batches)
        if mergeable and self.shard is not None:
            self.total = self._pass(mergeable, self.shard.batches)
        return {name: self.pipeline.nodes[name].fit_sums() for name in mergeable}

    def _merge(self, gathered: list[Sums]) -> None:
        device = self.pipeline.device
        for name in gathered[0]:
            parts = [
                {key: value.to(device) for key, value in sums[name].items()} for sums in gathered
            ]
            self.pipeline.nodes[name].fit_merge(parts)

    def _pass(self, names: list[str], batches: Callable[[], Iterator[Batch]]) -> int:
        """Feed data to nodes; return the number of measurements."""
        plan = self.pipeline.compile(Stage.INFERENCE, wanted=(), fitting=names)
        done = 0
        with _closed(batches()) as stream:
            for index, batch in enumerate(stream):
                if self.should_stop():
                    raise Cancelled(f"Stopped while fitting {', '.join(names)}.")
                try:
                    plan.run(batch, Context(Stage.INFERENCE, batch_idx=index))
                except InvalidInput as error:
                    raise InvalidInput(
                        f"Fitting {', '.join(names)}, {_place(index, batch)}: {error.text}"
                    ) from error
                done += _measurements(batch)
                self._send("progress", names, done)
        return done

    def _send(self, kind: Literal["start", "progress", "end"], names: list[str], done: int) -> None:
        for name in names:
            self.on_event(FitEvent(kind, name, done, self.total))


@contextmanager
def _fitting(nodes: list[Node]) -> Iterator[None]:
    """Begin the fits of some nodes, and abandon unfinished ones if the block fails."""
    try:
        for node in nodes:
            node.fit_begin()
        yield
    except BaseException:
        for node in nodes:
            node.fit_abandon()
        raise


@contextmanager
def _closed(stream: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Close a generator even if an exception still refers to it."""
    try:
        yield stream
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _place(index: int, batch: Batch) -> str:
    """Return a name of a batch, by its measurements if known."""
    numbers = batch.get("mesu_index")
    if not isinstance(numbers, Tensor):
        return f"batch {index}"
    return f"measurement {', '.join(str(number) for number in numbers.tolist())}"


def _measurements(batch: Batch) -> int:
    """Return the number of measurements of a batch: the first axis of its cube or first tensor."""
    first = next((value for value in batch.values() if isinstance(value, Tensor)), None)
    cube = batch.get("cube", first)
    return int(cube.shape[0]) if isinstance(cube, Tensor) else 1
