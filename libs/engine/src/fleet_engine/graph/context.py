"""Where in a run a forward pass stands."""

from dataclasses import dataclass

from fleet_engine.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every node's `forward` as the keyword `context`.

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
