"""Maps the spectrum of each pixel to an embedding for Deep SVDD."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.detectors.random_fourier_features import RandomFourierFeatures
from fleet_engine.nodes.detectors.two_layer_net import TwoLayerNet

Size = Annotated[int, Field(gt=0, le=65536)]


@published(
    "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection",
    "cuvis_ai.node.anomaly.deep_svdd.DeepSVDDProjection",
)
class DeepSVDDProjection(Node):
    """``z = W2 relu(W1 phi(x) + b1)`` per pixel (the network of Ruff et al. 2018, Deep SVDD).

    phi is the identity for the kernel `linear`, and random Fourier features of the Gaussian kernel
    for `rbf`. W1, b1 and W2 are trainable from the start.

    Args:
        in_channels: channels of the cube.
        rep_dim: length of an embedding.
        hidden: length of the hidden layer.
        kernel: feature map in front of the network.
        n_rff: number of random features, for `rbf`.
        gamma: coefficient of the kernel exp(-gamma |x - y|^2), for `rbf`; None: 1 / in_channels.
        mlp_forward_batch_size: number of pixels that pass through the network at a time.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (
        NodeTag.HYPERSPECTRAL,
        NodeTag.EMBEDDING,
        NodeTag.DIM_REDUCTION,
        NodeTag.ANOMALY,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "embeddings": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, rep_dim]")
    }
    PIXEL_PORTS = frozenset({"data", "embeddings"})

    net: nn.Module

    def __init__(
        self,
        *,
        in_channels: Size,
        rep_dim: Size = 32,
        hidden: Size = 128,
        kernel: Literal["linear", "rbf"] = "linear",
        n_rff: Size = 2048,
        gamma: Annotated[float, Field(gt=0)] | None = None,
        mlp_forward_batch_size: Annotated[int, Field(gt=0)] = 65536,
        **hparams: Any,
    ) -> None:
        super().__init__(
            in_channels=in_channels,
            rep_dim=rep_dim,
            hidden=hidden,
            kernel=kernel,
            n_rff=n_rff,
            gamma=gamma,
            mlp_forward_batch_size=mlp_forward_batch_size,
            **hparams,
        )
        self.in_channels = in_channels
        self.rep_dim = rep_dim
        self.batch_size = mlp_forward_batch_size
        if kernel == "linear":
            self.net = TwoLayerNet(in_channels, hidden, rep_dim)
        else:
            width = 1.0 / in_channels if gamma is None else gamma
            features = RandomFourierFeatures(in_channels, n_rff, width)
            self.net = nn.Sequential(features, TwoLayerNet(n_rff, hidden, rep_dim))

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Embed each pixel.

        Args:
            data: cube_BHWC, float32; C equals in_channels.

        Returns:
            embeddings [B, H, W, rep_dim], float32.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self.require_channels("data", data, "in_channels", self.in_channels)
        rows_NC = data.reshape(-1, self.in_channels)
        parts = [self.net(part) for part in torch.split(rows_NC, self.batch_size)]
        z_ND = parts[0] if len(parts) == 1 else torch.cat(parts)
        return {"embeddings": z_ND.reshape(*data.shape[:-1], self.rep_dim)}
