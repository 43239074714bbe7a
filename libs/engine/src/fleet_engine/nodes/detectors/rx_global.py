"""Global RX: squared Mahalanobis distance to the background."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.channel_statistics_node import ChannelStatisticsNode
from fleet_engine.nodes.statistics.moments import Moments


@published(
    "cuvis_ai.anomaly.rx_detector.RXGlobal",
    "cuvis_ai.node.anomaly.rx_detector.RXGlobal",
)
class RXGlobal(ChannelStatisticsNode[Moments]):
    """``score = (x - mu)^T cov^-1 (x - mu)`` per pixel (Reed & Yu 1990, eq. 10).

    mu and cov are the mean and sample covariance (n - 1) of all training pixels; `eps` is added to
    the diagonal of cov. The inverse is the Hermitian pseudo-inverse, computed in float64.

    Args:
        num_channels: channels of the cube.
        eps: regularisation, added to the diagonal.
        cache_inverse: store the inverse; otherwise each call solves the linear system.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.ANOMALY, NodeTag.LEARNABLE, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }
    TRAINABLE_BUFFERS = ("mu", "cov", "cov_inv")
    PIXEL_PORTS = frozenset({"data", "scores"})

    mu: Tensor
    cov: Tensor
    cov_inv: Tensor

    def __init__(
        self,
        num_channels: Annotated[int, Field(gt=0, le=16384)],
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        cache_inverse: bool = True,
        **hparams: Any,
    ) -> None:
        super().__init__(num_channels=num_channels, eps=eps, cache_inverse=cache_inverse, **hparams)
        self.eps = eps
        inverse_channels = num_channels if cache_inverse else 0
        self.register_buffer("mu", torch.zeros(num_channels))
        self.register_buffer("cov", torch.eye(num_channels))
        self.register_buffer("cov_inv", torch.eye(inverse_channels))

    def fit_end(self) -> None:
        """Set mu, cov and cov_inv."""
        moments = self.statistics
        cov_CC = moments.covariance()
        cov_CC.diagonal().add_(self.eps)
        self.store("mu", moments.mean_C)
        self.store("cov", cov_CC)
        if self.cov_inv.numel():
            self.store("cov_inv", torch.linalg.pinv(cov_CC, hermitian=True))
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
        centred_NC = data.reshape(-1, self.num_channels) - self.mu
        if self.cov_inv.numel():
            solved_NC = centred_NC @ self.cov_inv
        else:
            solved_NC = torch.linalg.solve(self.cov, centred_NC, left=False)
        scores_N = (solved_NC * centred_NC).sum(dim=-1)
        return {"scores": scores_N.reshape(*data.shape[:-1], 1)}
