"""Statistical fitting: each wave of independent nodes in one pass over the data."""

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
    """Fit all nodes that learn statistics, again if they were fitted before.

    What stands before a node runs at inference stage, tile by tile, so that no pass holds more than
    one batch as it was read.

    Of several processes that call this at the same time, each reads its shard of the data, and all
    end with the same statistics, bit for bit. A node whose fits cannot be merged is fitted to the
    whole data by every process.

    Args:
        pipeline: the pipeline whose nodes are fitted.
        batches: gives the training data from its beginning; called once for each pass.
        on_event: hears of the start, each batch and the end of each node's fit.
        should_stop: asked before each batch.
        total: measurements of one pass, for the events; 0: not known before the first pass ends.
            With a shard, the numbers are those of the shard.
        only: names of the nodes to be fitted, such as `unfitted_nodes` gives; None: all.
        shard: this process's part of the data; None: one process reads them all.

    Raises:
        InvalidInput: a batch does not fit, or holds NaN or infinite values; the text names it.
        Cancelled: `should_stop` said so, here or in another process; the nodes of earlier waves
            keep their new statistics.
    """
    fit = _Fit(pipeline, batches, on_event, should_stop, shard, total)
    for wave in fit_stages(pipeline, only):
        with (
            _TRACER.start_as_current_span(spans.FIT.name, attributes={NODE: wave}),
            torch.no_grad(),
        ):
            fit.run(wave)


@dataclass
class _Fit:
    pipeline: Pipeline
    batches: Callable[[], Iterator[Batch]]
    on_event: Callable[[FitEvent], None]
    should_stop: Callable[[], bool]
    shard: DataShard | None
    total: int

    def run(self, wave: list[str]) -> None:
        """Fit one wave."""
        nodes = [self.pipeline.nodes[name] for name in wave]
        with _begun(nodes):
            self._tell("start", wave, 0)
            if self.shard is None:
                self.total = self._pass(wave, self.batches)
            else:
                self._merge(self.shard.gather(lambda: self._part(wave)))
            # No node is to end its fit if another one could not take in the data.
            for node in nodes:
                node.fit_settle()
            for node in nodes:
                node.fit_end()
                self._tell("end", [node.name], self.total)

    def _part(self, wave: list[str]) -> Sums:
        """Take in this process's shard, and all data where fits cannot be merged."""
        mergeable = [name for name in wave if self.pipeline.nodes[name].mergeable]
        others = [name for name in wave if name not in mergeable]
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
        """Let some nodes take in some data; returns how many measurements these were."""
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
                self._tell("progress", names, done)
        return done

    def _tell(self, kind: Literal["start", "progress", "end"], names: list[str], done: int) -> None:
        for name in names:
            self.on_event(FitEvent(kind, name, done, self.total))


@contextmanager
def _begun(nodes: list[Node]) -> Iterator[None]:
    """Begin the fits of some nodes; if anything goes wrong, abandon those that have not ended."""
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
    """Close a generator even where an exception still holds on to it."""
    try:
        yield stream
    finally:
        if isinstance(stream, Generator):
            stream.close()


def _place(index: int, batch: Batch) -> str:
    """Name a batch by its measurements, where it tells them."""
    numbers = batch.get("mesu_index")
    if not isinstance(numbers, Tensor):
        return f"batch {index}"
    return f"measurement {', '.join(str(number) for number in numbers.tolist())}"


def _measurements(batch: Batch) -> int:
    """Measurements in a batch: the first axis of its cube, or of its first tensor."""
    first = next((value for value in batch.values() if isinstance(value, Tensor)), None)
    cube = batch.get("cube", first)
    return int(cube.shape[0]) if isinstance(cube, Tensor) else 1
