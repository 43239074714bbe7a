"""Scales values by the range of the training data."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.moments import refuse_non_finite
from fleet_platform.errors import InvalidInput


@published("cuvis_ai.node.normalization.MinMaxNormalizer")
class MinMaxNormalizer(Node):
    """``(x - min) / max(max - min, eps)``.

    With running statistics, min and max are one pair of numbers over all values of all training
    data, and nothing is clipped. Without, they are taken per measurement and channel.

    Args:
        eps: lower bound on the width of the range.
        use_running_stats: use the statistics of the training data.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (
        NodeTag.HYPERSPECTRAL,
        NodeTag.PREPROCESSING,
        NodeTag.NORMALIZATION,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "normalized": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")
    }
    TRAINABLE_BUFFERS = ("running_min", "running_max")
    PIXEL_PORTS = frozenset({"data", "normalized"})

    running_min: Tensor
    running_max: Tensor

    def __init__(
        self,
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        use_running_stats: bool = True,
        **hparams: Any,
    ) -> None:
        super().__init__(eps=eps, use_running_stats=use_running_stats, **hparams)
        self.eps = eps
        self.use_running_stats = use_running_stats
        self.register_buffer("running_min", torch.tensor(float("nan")))
        self.register_buffer("running_max", torch.tensor(float("nan")))
        self._extremes = self._no_extremes()

    @property
    def requires_fit(self) -> bool:
        """True only with running statistics."""
        return self.use_running_stats

    @property
    def pixel_ports(self) -> frozenset[str]:
        """Empty without running statistics, where the pixels of a measurement interact."""
        return super().pixel_ports if self.use_running_stats else frozenset()

    def fit_begin(self) -> None:
        """Start without any extremes."""
        self._extremes = self._no_extremes()

    def fit_update(self, *, data: Tensor, **_: Any) -> None:
        """Update the extremes with one batch."""
        extremes = torch.stack(torch.aminmax(data))
        refuse_non_finite(extremes)
        self._extremes = _widest(torch.stack((self._extremes, extremes)))

    def fit_sums(self) -> dict[str, Tensor]:
        """Return the minimum and maximum, [2]."""
        return {"extremes": self._extremes}

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the extremes with those of all parts together."""
        self._extremes = _widest(torch.stack([part["extremes"] for part in parts]))

    def fit_end(self) -> None:
        """Store the minimum and maximum.

        Raises:
            InvalidInput: there was no data.
        """
        low, high = self._extremes
        if low > high:
            raise InvalidInput(
                "Statistics need at least one pixel; the training data contains none."
            )
        self.store("running_min", low)
        self.store("running_max", high)
        self.fitted = True

    def _no_extremes(self) -> Tensor:
        return torch.tensor([float("inf"), float("-inf")], device=self.running_min.device)

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Scale cube_BHWC, float32; the shape is kept."""
        if self.use_running_stats:
            low, high = self.running_min, self.running_max
        else:
            low, high = data.amin(dim=(1, 2), keepdim=True), data.amax(dim=(1, 2), keepdim=True)
        width = torch.clamp(high - low, min=self.eps)
        return {"normalized": (data - low) / width}


def _widest(ranges_N2: Tensor) -> Tensor:
    """Return the range that covers all given ranges of minimum and maximum."""
    return torch.stack((ranges_N2[:, 0].amin(), ranges_N2[:, 1].amax()))
