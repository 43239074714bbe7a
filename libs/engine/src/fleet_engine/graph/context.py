"""The position of a forward pass in a run."""

from dataclasses import dataclass

from fleet_engine.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Context:
    """The position in a run, passed to `forward` of every node as the keyword `context`.

    Attributes:
        stage: purpose of the run.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
        global_step: optimiser steps so far.
    """

    stage: Stage
    epoch: int = 0
    batch_idx: int = 0
    global_step: int = 0
