"""The computation of a training stage on one batch."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fleet_engine.graph.context import Context
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import InvalidInput


class StageResult(NamedTuple):
    """Losses and metrics of one batch.

    Attributes:
        losses: scalars by log name without stage, such as bce.
        total: their sum; zero if no loss node runs at this stage.
        metrics: pairs of log name, such as metrics_anomaly/iou, and value.
    """

    losses: dict[str, Tensor]
    total: Tensor
    metrics: dict[str, float]


class StagePlan:
    """A plan for the losses, metrics and sinks of one stage, and the nodes they need."""

    def __init__(
        self,
        pipeline: Pipeline,
        stage: Stage,
        *,
        loss_nodes: Iterable[str],
        metric_nodes: Iterable[str] = (),
        sinks: bool,
    ) -> None:
        """Compile the plan.

        Args:
            pipeline: the pipeline, on the device of the computation.
            stage: TRAIN, VAL or TEST.
            loss_nodes: nodes whose outputs add up to the loss.
            metric_nodes: nodes whose metrics are computed.
            sinks: also run the nodes that only report (figures, event files).
        """
        self._stage = stage
        self._device = pipeline.device
        self._losses = {
            name: tuple(pipeline.nodes[name].OUTPUT_SPECS)
            for name in loss_nodes
            if pipeline.nodes[name].runs_at(stage)
        }
        self._metrics = tuple(name for name in metric_nodes if pipeline.nodes[name].runs_at(stage))
        wanted = [f"{name}.{port}" for name, ports in self._losses.items() for port in ports]
        wanted += [f"{name}.metrics" for name in self._metrics]
        self._plan = pipeline.compile(stage, wanted, sinks=_sinks(pipeline, stage) if sinks else ())

    def run(self, batch: Mapping[str, object], context: Context) -> StageResult:
        """Compute one batch.

        Raises:
            InvalidInput: the batch does not match the pipeline, or an output of a loss node is not
                a scalar.
        """
        outputs = self._plan.run(batch, context)
        losses = self._losses_in(outputs)
        total = (
            torch.stack([loss.to(torch.float32) for loss in losses.values()]).sum()
            if losses
            else torch.zeros((), device=self._device)
        )
        metrics: dict[str, float] = {}
        for name in self._metrics:
            for metric in outputs.get(f"{name}.metrics", ()):
                metrics[_unused(f"{name}/{metric.name}", metrics)] = float(metric.value)
        return StageResult(losses, total, metrics)

    def _losses_in(self, outputs: Mapping[str, Any]) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for name, ports in self._losses.items():
            for port in ports:
                value = outputs.get(f"{name}.{port}")
                if value is None:
                    continue
                if not isinstance(value, Tensor) or value.numel() != 1:
                    raise InvalidInput(
                        f"loss_nodes: the output '{port}' of '{name}' is not a scalar tensor, so "
                        "it cannot be a loss."
                    )
                losses[name if len(ports) == 1 else f"{name}_{port}"] = value.reshape(())
        return losses


def _sinks(pipeline: Pipeline, stage: Stage) -> list[str]:
    """Return the nodes without outputs that run at `stage`."""
    return [
        name
        for name, node in pipeline.nodes.items()
        if not node.OUTPUT_SPECS and node.runs_at(stage)
    ]


def _unused(name: str, taken: Mapping[str, object]) -> str:
    unused, count = name, 0
    while unused in taken:
        count += 1
        unused = f"{name}_{count}"
    return unused
