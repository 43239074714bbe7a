"""Adapter from a pipeline to a Lightning module."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from fleet_engine.graph.context import Context
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.metrics.metric_node import MetricNode
from fleet_engine.training.evaluation.stage_plan import StagePlan, StageResult
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.job.optimizers import make_optimizer, make_schedulers
from fleet_platform.errors import InvalidInput

Batch = Mapping[str, Any]


class PipelineModule(LightningModule):
    """A Lightning module that minimises the sum of the loss nodes, as published.

    The logged values are ``train/<loss node>`` and ``train_loss``, likewise for ``val``, and
    ``<metric node>/<metric>``; metrics of `MetricNode`s are pooled over the validation split.

    Attributes:
        nodes: nodes of the pipeline by name; keys of checkpoints are ``nodes.<node>.<key>``.
    """

    def __init__(self, pipeline: Pipeline, job: GradientJob) -> None:
        super().__init__()
        self.nodes = nn.Module()
        for name, node in pipeline.nodes.items():
            # Not add_module: a node may have the name of an attribute.
            self.nodes._modules[name] = node
        self._pipeline = pipeline
        self._job = job
        self._plans: dict[tuple[Stage, bool], StagePlan] = {}

    @property
    def _pooling(self) -> dict[str, MetricNode]:
        return {
            name: node
            for name in self._job.metric_nodes
            if isinstance(node := self._pipeline.nodes[name], MetricNode)
        }

    def configure_optimizers(self) -> Any:
        """Return the optimizer of all unfrozen parameters, and the schedules of the job."""
        training = self._job.training
        optimizer = make_optimizer(
            training.optimizer, [p for p in self.parameters() if p.requires_grad]
        )
        return [optimizer], make_schedulers(
            training.scheduler,
            optimizer,
            max_epochs=training.max_epochs,
            validation_epochs=training.check_val_every_n_epoch or 1,
        )

    def on_fit_start(self) -> None:
        """Move the pipeline to the device that Lightning has chosen."""
        self._pipeline.to(self.device)
        self._plans.clear()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch.

        Raises:
            InvalidInput: it is NaN or infinite, or does not depend on a trained parameter.
        """
        result = self._run(Stage.TRAIN, batch, batch_idx, sinks=True)
        if not result.losses:
            raise InvalidInput("None of loss_nodes produced a loss at the training stage.")
        if not result.total.requires_grad:
            raise InvalidInput(
                f"The loss of {', '.join(self._job.loss_nodes)} does not depend on anything that "
                "is trained. Unfreeze a node before a loss node (unfreeze_nodes)."
            )
        self._refuse_not_finite(result, batch, batch_idx, "epoch")
        self._log_losses("train", result, batch)
        return result.total

    def on_validation_epoch_start(self) -> None:
        """Reset the pooled metrics."""
        self._release_cache()
        for node in self._pooling.values():
            node.reset()

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch, and log the metrics that are not pooled.

        Raises:
            InvalidInput: the loss is NaN or infinite.
        """
        sanity = self.trainer.sanity_checking
        result = self._run(Stage.VAL, batch, batch_idx, sinks=not sanity)
        self._refuse_not_finite(result, batch, batch_idx, "the validation of epoch")
        self._log_losses("val", result, batch)
        pooled = tuple(f"{name}/" for name in self._pooling)
        for name, value in result.metrics.items():
            if not name.startswith(pooled):
                self.log(name, value, batch_size=_size(batch), sync_dist=True)
        return result.total

    def on_validation_epoch_end(self) -> None:
        """Log the pooled metrics."""
        for name, node in self._pooling.items():
            if not node.pool:
                continue
            for metric, value in node.values(self._all_pools(node.pool)).items():
                # All processes have the same value, so a mean does not change it.
                self.log(f"{name}/{metric}", float(value), batch_size=1, sync_dist=True)
        self._release_cache()

    def _release_cache(self) -> None:
        """Release unused GPU memory if the job requests it."""
        if self._job.training.release_cuda_cache_on_validation and self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _all_pools(self, pool: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.trainer.world_size == 1:
            return pool
        return {key: self.trainer.strategy.reduce(pool[key], reduce_op="sum") for key in pool}

    def _run(self, stage: Stage, batch: Batch, batch_idx: int, *, sinks: bool) -> StageResult:
        plan = self._plans.get((stage, sinks))
        if plan is None:
            plan = StagePlan(
                self._pipeline,
                stage,
                loss_nodes=self._job.loss_nodes,
                metric_nodes=() if stage is Stage.TRAIN else self._job.metric_nodes,
                sinks=sinks and self.global_rank == 0,
            )
            self._plans[stage, sinks] = plan
        context = Context(stage, self.current_epoch, batch_idx, self.global_step)
        try:
            return plan.run(batch, context)
        except InvalidInput as error:
            if "mask" in batch:
                raise
            raise InvalidInput(
                f"{error.text} Measurements {_measurements(batch)} are not labelled; if labels are "
                "needed, name a file of them as data.annotation_json_path."
            ) from error

    def _refuse_not_finite(
        self, result: StageResult, batch: Batch, batch_idx: int, where: str
    ) -> None:
        if not bool(torch.isfinite(result.total)):
            values = ", ".join(
                f"{name} = {float(loss.detach())}" for name, loss in result.losses.items()
            )
            raise InvalidInput(
                f"The loss became {float(result.total.detach())} in {where} "
                f"{self.current_epoch}, batch {batch_idx} (measurements {_measurements(batch)}; "
                f"{values}). Use a smaller training.optimizer.lr or set training.gradient_clip_val."
            )

    def _log_losses(self, stage: str, result: StageResult, batch: Batch) -> None:
        several = stage != "train" and self.trainer.world_size > 1
        for name, loss in result.losses.items():
            self.log(f"{stage}/{name}", loss, batch_size=_size(batch), sync_dist=several)
        self.log(f"{stage}_loss", result.total, batch_size=_size(batch), sync_dist=several)


def _size(batch: Batch) -> int:
    return int(batch["cube"].shape[0])


def _measurements(batch: Batch) -> str:
    index = batch.get("mesu_index")
    return ", ".join(map(str, index.tolist())) if isinstance(index, Tensor) else "unknown"
