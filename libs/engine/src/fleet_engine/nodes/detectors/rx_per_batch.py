"""RX with the background statistics of each measurement."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec


@published(
    "cuvis_ai.anomaly.rx_detector.RXPerBatch",
    "cuvis_ai.node.anomaly.rx_detector.RXPerBatch",
)
class RXPerBatch(Node):
    """``score = (x - mu)^T cov^-1 (x - mu)`` per pixel (Reed & Yu 1990, eq. 10); needs no fitting.

    mu and cov are the mean and sample covariance (n - 1) of all pixels of the same measurement;
    `eps` is added to the diagonal of cov. The inverse is the Hermitian pseudo-inverse; everything
    is computed in float64. A measurement of a single pixel scores 0.

    Args:
        eps: regularisation, added to the diagonal.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.ANOMALY, NodeTag.DIFFERENTIABLE)
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: more anomalous")
    }

    def __init__(self, eps: Annotated[float, Field(ge=0)] = 1e-6, **hparams: Any) -> None:
        super().__init__(eps=eps, **hparams)
        self.eps = eps

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Score each pixel.

        Args:
            data: cube_BHWC, float32.

        Returns:
            scores [B, H, W, 1], float32.
        """
        # One measurement at a time, so that only one is in memory as float64.
        scores_BN = torch.stack([self._scores(one_HWC.flatten(0, 1)) for one_HWC in data])
        return {"scores": scores_BN.reshape(*data.shape[:-1], 1)}

    def _scores(self, rows_NC: Tensor) -> Tensor:
        pixels, channels = rows_NC.shape
        mean_C = rows_NC.mean(dim=0, dtype=torch.float64)
        centred_NC = rows_NC - mean_C
        cov_CC = centred_NC.T @ centred_NC / max(pixels - 1, 1)
        ridge_CC = self.eps * torch.eye(channels, dtype=cov_CC.dtype, device=cov_CC.device)
        inverse_CC = torch.linalg.pinv(cov_CC + ridge_CC, hermitian=True)
        scores_N: Tensor = (centred_NC @ inverse_CC * centred_NC).sum(dim=-1)
        return scores_N.to(rows_NC.dtype)
