"""Evaluation of losses and metrics on a whole split."""

from collections import defaultdict
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from fleet_engine.data import batches
from fleet_engine.graph.context import Context
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.metrics.metric_node import MetricNode
from fleet_engine.training.evaluation.stage_plan import StagePlan
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.training_event import Hook, TrainingEvent
from fleet_platform.errors import Cancelled, InvalidInput

_NAMES = {Stage.VAL: "val", Stage.TEST: "test"}


def evaluate(
    pipeline: Pipeline,
    job: GradientJob,
    stage: Stage,
    *,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> None:
    """Run the pipeline on the split of `stage` and send its losses and metrics as an event.

    Losses are means over measurements; metrics are pooled. At TEST the reporting nodes (figures,
    event files) run as well; at VAL they ran during training. If a split cannot be evaluated, for
    example because it lacks labels, the event contains the reason instead of an error being raised.

    Args:
        pipeline: the pipeline, already on the device to compute on.
        job: data, loss nodes and metric nodes.
        stage: VAL or TEST; nothing happens if its split is empty.
        on_event: receives start, progress and end.
        should_stop: called before each batch; True cancels.

    Raises:
        Cancelled: `should_stop` returned True.
    """
    ids = job.data.val_ids if stage is Stage.VAL else job.data.test_ids
    if not ids:
        return
    on_event(TrainingEvent(Hook.EVALUATION_START, stage, total=len(ids)))
    try:
        losses, metrics = _run(
            pipeline, job, stage, ids=ids, on_event=on_event, should_stop=should_stop
        )
        end = TrainingEvent(
            Hook.EVALUATION_END,
            stage,
            done=len(ids),
            total=len(ids),
            losses=losses,
            metrics=metrics,
        )
    except InvalidInput as error:
        end = TrainingEvent(Hook.EVALUATION_END, stage, total=len(ids), error=error.text)
    on_event(end)


def _run(
    pipeline: Pipeline,
    job: GradientJob,
    stage: Stage,
    *,
    ids: list[int],
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> tuple[dict[str, float], dict[str, float]]:
    job.measurements.check_ids(ids)
    plan = StagePlan(
        pipeline,
        stage,
        loss_nodes=job.loss_nodes,
        metric_nodes=job.metric_nodes,
        sinks=stage is Stage.TEST,
    )
    pooling = {
        name: node
        for name in job.metric_nodes
        if isinstance(node := pipeline.nodes[name], MetricNode)
    }
    for node in pooling.values():
        node.reset()
    sums: defaultdict[str, float] = defaultdict(float)
    done = 0
    with torch.no_grad():
        for index, batch in enumerate(batches(job.measurements, ids, job.data.batch_size)):
            if should_stop():
                raise Cancelled("Stopped while evaluating.")
            result = plan.run(batch, Context(stage, batch_idx=index))
            size = int(batch["cube"].shape[0])
            done += size
            _add(sums, result.losses, size)
            _add(sums, {f"{_NAMES[stage]}_loss": result.total} if result.losses else {}, size)
            _add(sums, result.metrics, size)
            on_event(
                TrainingEvent(
                    Hook.EVALUATION_PROGRESS, stage, batch_idx=index, done=done, total=len(ids)
                )
            )
    means = {name: value / done for name, value in sums.items()}
    losses = {name: means.pop(name) for name in [*means] if name.endswith("_loss")}
    pooled = {
        f"{name}/{metric}": value
        for name, node in pooling.items()
        for metric, value in node.pooled().items()
    }
    return losses, means | pooled


def _add(sums: defaultdict[str, float], values: Mapping[str, Tensor | float], weight: int) -> None:
    for name, value in values.items():
        sums[name] += float(value) * weight
