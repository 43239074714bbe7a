"""Decides whether a measurement is anomalous, then which of its pixels are."""

import math
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.quantiles import quantile


@published(
    "cuvis_ai.deciders.two_stage_decider.TwoStageBinaryDecider",
    "cuvis_ai.node.deciders.two_stage_decider.TwoStageBinaryDecider",
)
class TwoStageBinaryDecider(Node):
    """``decision = (s >= image_threshold) and (x >= q in any channel)``.

    s is the mean of the ``ceil(top_k_fraction * H * W)`` highest pixels of a measurement, where the
    value of a pixel is its largest channel. q is the quantile of `QuantileBinaryDecider`.

    Args:
        image_threshold: minimum score of an anomalous measurement, 0 to 1.
        top_k_fraction: fraction of the pixels that determine s, above 0 and up to 1.
        quantile: level of the quantile, 0 to 1.
        reduce_dims: axes of [B, H, W, C] over which the quantile is taken; None: all values
            of a measurement.
    """

    CATEGORY = NodeCategory.CONTROL
    TAGS = (NodeTag.MASK, NodeTag.SEGMENTATION, NodeTag.ANOMALY, NodeTag.POSTPROCESSING)
    INPUT_SPECS: ClassVar[Ports] = {
        "logits": PortSpec(torch.float32, (-1, -1, -1, -1), "larger: more anomalous")
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly")
    }

    def __init__(
        self,
        image_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5,
        top_k_fraction: Annotated[float, Field(gt=0, le=1)] = 0.001,
        quantile: Annotated[float, Field(ge=0, le=1)] = 0.995,
        reduce_dims: Annotated[list[Annotated[int, Field(ge=-4, le=3)]], Field(min_length=1)]
        | None = None,
        **hparams: Any,
    ) -> None:
        super().__init__(
            image_threshold=image_threshold,
            top_k_fraction=top_k_fraction,
            quantile=quantile,
            reduce_dims=reduce_dims,
            **hparams,
        )
        self.image_threshold = image_threshold
        self.top_k_fraction = top_k_fraction
        self.quantile = quantile
        self.reduce_dims = reduce_dims

    def forward(self, logits: Tensor, **_: Any) -> dict[str, Tensor]:
        """Decide for each pixel: logits [B, H, W, C], float32, to bool [B, H, W, 1]."""
        pixel_BN = logits.amax(dim=-1).flatten(1)
        # In float32, so that 0.07 of 1200 pixels is 84 and not 84.00000000000001.
        count = math.ceil(torch.tensor(self.top_k_fraction * pixel_BN.shape[1]).item())
        image_B = pixel_BN.topk(count, dim=1, sorted=False).values.mean(dim=1)
        gate_B111 = (image_B >= self.image_threshold).reshape(-1, 1, 1, 1)
        border = quantile(logits, self.quantile, self.reduce_dims)
        return {"decisions": gate_B111 & (logits >= border).any(dim=-1, keepdim=True)}
