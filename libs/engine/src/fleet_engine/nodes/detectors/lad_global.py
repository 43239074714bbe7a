"""Laplacian anomaly detector on a graph of the channels."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.channel_statistics_node import ChannelStatisticsNode
from fleet_engine.nodes.statistics.running_mean import RunningMean

_MIN_ALPHA = 1e-12
"""Width of the weights if the mean spectrum is zero on average."""


@published(
    "cuvis_ai.anomaly.lad_detector.LADGlobal",
    "cuvis_ai.node.anomaly.lad_detector.LADGlobal",
)
class LADGlobal(ChannelStatisticsNode[RunningMean]):
    """``score = (x - M)^T L (x - M)`` per pixel (Verdoja & Grangetto 2020).

    M is the mean of all training pixels. The channels are the vertices of a complete graph with
    Cauchy weights ``w_ij = 1 / (1 + ((M_i - M_j) / alpha)^2)``; alpha is the mean of M. With the
    degrees ``d_i = sum of w_ij over j != i`` on the diagonal of D, the Laplacian is
    ``L = D - W``, or ``D^-1/2 (D - W) D^-1/2`` if normalised. M and L are float64, scores float32.

    Args:
        num_channels: channels of the cube.
        eps: accepted for compatibility with existing configurations; has no effect.
        normalize_laplacian: normalise the Laplacian by the degrees.
        use_numpy_laplacian: accepted for compatibility; L is always computed in float64.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.ANOMALY, NodeTag.LEARNABLE, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }
    TRAINABLE_BUFFERS = ("M", "L")
    STATISTICS = RunningMean
    PIXEL_PORTS = frozenset({"data", "scores"})

    M: Tensor
    L: Tensor

    def __init__(
        self,
        num_channels: Annotated[int, Field(gt=0, le=16384)],
        eps: Annotated[float, Field(ge=0)] = 1e-8,
        normalize_laplacian: bool = True,
        use_numpy_laplacian: bool = True,
        **hparams: Any,
    ) -> None:
        super().__init__(
            num_channels=num_channels,
            eps=eps,
            normalize_laplacian=normalize_laplacian,
            use_numpy_laplacian=use_numpy_laplacian,
            **hparams,
        )
        self.normalize_laplacian = normalize_laplacian
        self.register_buffer("M", torch.zeros(num_channels, dtype=torch.float64))
        self.register_buffer("L", torch.zeros(num_channels, num_channels, dtype=torch.float64))

    def fit_end(self) -> None:
        """Set M and L."""
        mean_C = self.statistics.mean()
        self.store("M", mean_C)
        self.store("L", _laplacian(mean_C, normalize=self.normalize_laplacian))
        self.fitted = True

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Score each pixel.

        Args:
            data: cube_BHWC, float32; C equals num_channels.

        Returns:
            scores [B, H, W, 1], float32.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self.check_channels(data)
        centred_NC = data.reshape(-1, self.num_channels) - self.M.to(data.dtype)
        scores_N = (centred_NC @ self.L.to(data.dtype) * centred_NC).sum(dim=-1)
        return {"scores": scores_N.reshape(*data.shape[:-1], 1)}


def _laplacian(mean_C: Tensor, *, normalize: bool) -> Tensor:
    alpha = mean_C.mean().abs().clamp_min(_MIN_ALPHA)
    weights_CC = 1.0 / (1.0 + ((mean_C[:, None] - mean_C[None, :]) / alpha).square())
    weights_CC.fill_diagonal_(0.0)
    degrees_C = weights_CC.sum(dim=1)
    laplacian_CC = torch.diag(degrees_C) - weights_CC
    if not normalize:
        return laplacian_CC
    # A single channel has degree 0 and is not scaled.
    scale_C = torch.where(degrees_C > 0, degrees_C.rsqrt(), 0.0)
    return scale_C[:, None] * laplacian_CC * scale_C[None, :]
