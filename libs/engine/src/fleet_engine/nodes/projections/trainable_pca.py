"""Projection to principal components that can be trained further."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.channel_statistics_node import ChannelStatisticsNode
from fleet_engine.nodes.statistics.moments import Moments

Size = Annotated[int, Field(gt=0, le=16384)]


@published("cuvis_ai.node.dimensionality_reduction.TrainablePCA")
class TrainablePCA(ChannelStatisticsNode[Moments]):
    """``y = V (x - mean)`` per pixel (Pearson 1901); whitened: ``y_k / sqrt(lambda_k + eps)``.

    The rows of V are the eigenvectors of the training pixels' sample covariance (n - 1) with the
    largest eigenvalues lambda, in descending order, computed in float64, with the signs that
    LAPACK returns. If the node is unfrozen, V is trained; mean and lambda are not.

    Args:
        num_channels: channels of the cube.
        n_components: number of components.
        whiten: scale each component to unit variance.
        init_method: accepted for compatibility with existing configurations; as in the published
            node, a fit always uses the eigenvectors, even for `random`.
        eps: keeps the quotients finite.

    Raises:
        ValueError: more components than channels.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (
        NodeTag.HYPERSPECTRAL,
        NodeTag.DIM_REDUCTION,
        NodeTag.PREPROCESSING,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "projected": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, n_components]"),
        "explained_variance_ratio": PortSpec(
            torch.float32, (-1,), "share of the variance of all n_components", optional=True
        ),
        "components": PortSpec(
            torch.float32, (-1, -1), "[n_components, C], one per row", optional=True
        ),
    }
    TRAINABLE_BUFFERS = ("_components",)
    PIXEL_PORTS = frozenset({"data", "projected"})

    _mean: Tensor
    _explained_variance: Tensor
    _components: Tensor

    def __init__(
        self,
        num_channels: Size,
        n_components: Size,
        whiten: bool = False,
        init_method: Literal["svd", "random"] = "svd",
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        **hparams: Any,
    ) -> None:
        super().__init__(
            num_channels=num_channels,
            n_components=n_components,
            whiten=whiten,
            init_method=init_method,
            eps=eps,
            **hparams,
        )
        if n_components > num_channels:
            raise ValueError(
                f"hparam 'n_components' is {n_components}; it must be at most the {num_channels} "
                "of num_channels"
            )
        self.n_components = n_components
        self.whiten = whiten
        self.eps = eps
        self.register_buffer("_mean", torch.zeros(num_channels))
        self.register_buffer("_explained_variance", torch.ones(n_components))
        self.register_buffer("_components", torch.eye(n_components, num_channels))

    def fit_end(self) -> None:
        """Set mean, components and their variances."""
        # On the CPU, so that the signs do not depend on the device of the data.
        variances, vectors_CC = torch.linalg.eigh(self.statistics.covariance().cpu())
        self.store("_mean", self.statistics.mean_C)
        kept = variances.flip(0)[: self.n_components]
        self.store("_explained_variance", kept.clamp_min(0.0))
        self.store("_components", vectors_CC.flip(1).T[: self.n_components])
        self.fitted = True

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Project each pixel.

        Args:
            data: cube_BHWC, float32; C equals num_channels.

        Returns:
            projected [B, H, W, K], float32; explained_variance_ratio [K],
            ``lambda_k / (sum of the K lambdas + eps)``, relative to the selected components;
            components [K, C].

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self.check_channels(data)
        projected = (data - self._mean) @ self._components.T
        variance_K = self._explained_variance
        if self.whiten:
            projected = projected / torch.sqrt(variance_K + self.eps)
        return {
            "projected": projected,
            "explained_variance_ratio": variance_K / (variance_K.sum() + self.eps),
            "components": self._components,
        }
