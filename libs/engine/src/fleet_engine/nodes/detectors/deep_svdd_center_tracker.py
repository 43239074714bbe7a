"""Tracks the centre of the embeddings for Deep SVDD."""

from typing import Annotated, Any, ClassVar

import torch
import torch.distributed as dist
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.statistics.running_mean import RunningMean
from fleet_engine.nodes.statistics.statistics_node import StatisticsNode


@published(
    "cuvis_ai.anomaly.deep_svdd.DeepSVDDCenterTracker",
    "cuvis_ai.node.anomaly.deep_svdd.DeepSVDDCenterTracker",
)
class DeepSVDDCenterTracker(StatisticsNode[RunningMean]):
    """``c = mean(z)`` over all training pixels, then ``c <- (1 - alpha) c + alpha mean(z)``.

    The fit sets the initial centre. During training, each batch first moves the centre, by the mean
    over the batches of all processes that train together; the moved centre is returned. The centre
    never carries a gradient: only the projection is trained towards it.

    Args:
        rep_dim: length of an embedding.
        alpha: weight of the latest batch.
        update_in_eval: also move the centre at validation and test.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (
        NodeTag.EMBEDDING,
        NodeTag.ANOMALY,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
        NodeTag.STATEFUL,
    )
    INPUT_SPECS: ClassVar[Ports] = {
        "embeddings": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, rep_dim]")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "center": PortSpec(torch.float32, (-1,), "[rep_dim]"),
        "metrics": PortSpec(None, (), "list of Metric: the centre's norm", optional=True),
    }
    TRAINABLE_BUFFERS = ("_tracked_center",)
    # The centre is constant at inference, so that the result does not depend on the tile.
    PIXEL_PORTS = frozenset({"embeddings"})

    _tracked_center: Tensor

    def __init__(
        self,
        rep_dim: Annotated[int, Field(gt=0, le=65536)],
        alpha: Annotated[float, Field(gt=0, le=1)] = 0.1,
        update_in_eval: bool = False,
        **hparams: Any,
    ) -> None:
        super().__init__(rep_dim=rep_dim, alpha=alpha, update_in_eval=update_in_eval, **hparams)
        self.rep_dim = rep_dim
        self.alpha = alpha
        moving = {Stage.TRAIN, Stage.VAL, Stage.TEST} if update_in_eval else {Stage.TRAIN}
        self.moving_stages = frozenset(moving)
        self.register_buffer("_tracked_center", torch.zeros(rep_dim))
        self.statistics = self.new_statistics()

    def new_statistics(self) -> RunningMean:
        """Return empty statistics on the device of the node."""
        return RunningMean(self.rep_dim, self._tracked_center.device)

    def fit_update(self, *, embeddings: Tensor, **_: Any) -> None:
        """Add embeddings [B, H, W, rep_dim] to the statistics."""
        self._check_length(embeddings)
        self.statistics.update(embeddings.reshape(-1, self.rep_dim))

    def fit_end(self) -> None:
        """Set the centre."""
        self.store("_tracked_center", self.statistics.mean())
        self.fitted = True

    def forward(self, embeddings: Tensor, context: Context, **_: Any) -> dict[str, Any]:
        """Move the centre if the stage is a moving stage, and return it.

        Args:
            embeddings: [B, H, W, rep_dim], float32.
            context: its stage decides whether the centre moves.

        Returns:
            center [rep_dim], float32, a copy without gradient; metrics, with
            deepsvdd_center/norm, the centre's Euclidean norm.

        Raises:
            InvalidInput: the length of the embeddings does not match.
        """
        self._check_length(embeddings)
        if context.stage in self.moving_stages:
            mean_D = _mean_of_all_processes(embeddings.detach().reshape(-1, self.rep_dim))
            moved_D = (1.0 - self.alpha) * self._tracked_center.detach() + self.alpha * mean_D
            self.store("_tracked_center", moved_D)
        center_D = self._tracked_center.detach().clone()
        norm = float(torch.linalg.vector_norm(center_D))
        metric = Metric(
            "deepsvdd_center/norm", norm, context.stage, context.epoch, context.batch_idx
        )
        return {"center": center_D, "metrics": [metric]}

    def _check_length(self, embeddings: Tensor) -> None:
        if embeddings.shape[-1] != self.rep_dim:
            raise self.refuse(
                "embeddings",
                f"{embeddings.shape[-1]} values for each pixel",
                f"{self.rep_dim}, as the hparam rep_dim requires",
            )


def _mean_of_all_processes(rows_ND: Tensor) -> Tensor:
    """Return the mean row, float64, over this process or all processes of its group."""
    sum_and_count = torch.cat(
        (
            rows_ND.sum(dim=0, dtype=torch.float64),
            rows_ND.new_full((1,), rows_ND.shape[0], dtype=torch.float64),
        )
    )
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(sum_and_count)
    return sum_and_count[:-1] / sum_and_count[-1]
