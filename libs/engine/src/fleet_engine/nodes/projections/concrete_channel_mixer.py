"""Selects a band for each output channel with the concrete distribution."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage

Size = Annotated[int, Field(gt=0, le=16384)]
Temperature = Annotated[float, Field(gt=0)]


@published("cuvis_ai.node.channel_mixer.ConcreteChannelMixer")
class ConcreteChannelMixer(Node):
    """``rgb_k = sum_c w_kc x_c``; training drives each row w_k towards a single band.

    In training, ``w = softmax((logits + g) / tau)`` with Gumbel noise g (Maddison et al. 2017, Jang
    et al. 2017), drawn once per batch: ``g = -log(-log(u + eps) + eps)``, u uniform from torch's
    global generator. tau decreases with each epoch, ``tau_start * (tau_end / tau_start)^(epoch /
    (max_epochs - 1))``, and remains tau_end from epoch max_epochs - 1 onwards. Outside of training,
    w selects the band of the largest logit, or is ``softmax(logits / tau_end)`` without
    `use_hard_inference`.

    Args:
        input_channels: channels of the cube.
        output_channels: channels of the result.
        tau_start: temperature in epoch 0.
        tau_end: final temperature.
        max_epochs: epochs from tau_start to tau_end; with 1, tau is tau_end throughout.
        use_hard_inference: select a single band per channel outside of training.
        eps: keeps the logarithms of the noise finite.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (
        NodeTag.RGB,
        NodeTag.HYPERSPECTRAL,
        NodeTag.DIM_REDUCTION,
        NodeTag.PREPROCESSING,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
        NodeTag.STOCHASTIC,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "rgb": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, output_channels]"),
        "selection_weights": PortSpec(torch.float32, (-1, -1), "[output_channels, C]"),
    }
    PIXEL_PORTS = frozenset({"data", "rgb"})

    def __init__(
        self,
        input_channels: Size,
        output_channels: Size = 3,
        *,
        tau_start: Temperature = 10.0,
        tau_end: Temperature = 0.1,
        max_epochs: Annotated[int, Field(ge=0)] = 20,
        use_hard_inference: bool = True,
        eps: Annotated[float, Field(gt=0, lt=1)] = 1e-6,
        **hparams: Any,
    ) -> None:
        super().__init__(
            input_channels=input_channels,
            output_channels=output_channels,
            tau_start=tau_start,
            tau_end=tau_end,
            max_epochs=max_epochs,
            use_hard_inference=use_hard_inference,
            eps=eps,
            **hparams,
        )
        self.input_channels = input_channels
        self.tau_start = tau_start
        self.tau_end = tau_end
        self.max_epochs = max_epochs
        self.use_hard_inference = use_hard_inference
        self.eps = eps
        self.logits = nn.Parameter(torch.zeros(output_channels, input_channels))

    def temperature(self, epoch: int) -> float:
        """Return tau for an epoch, counted from 0."""
        last = self.max_epochs - 1
        if last <= 0:
            return self.tau_end
        ratio = self.tau_end / self.tau_start
        tau: float = self.tau_start * ratio ** (min(epoch, last) / last)
        return tau

    def forward(self, data: Tensor, context: Context | None = None, **_: Any) -> dict[str, Tensor]:
        """Mix the channels.

        Args:
            data: cube_BHWC, float32; C equals input_channels.
            context: in stage TRAIN, its epoch sets the temperature, and noise is drawn if the node
                is in training mode.

        Returns:
            rgb [B, H, W, K] and selection_weights [K, C], float32.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self.require_channels("data", data, "input_channels", self.input_channels)
        weights_KC = self._weights(context)
        return {"rgb": data @ weights_KC.T, "selection_weights": weights_KC}

    def _weights(self, context: Context | None) -> Tensor:
        if self.training and context is not None and context.stage is Stage.TRAIN:
            uniform_KC = torch.rand_like(self.logits)
            gumbel_KC = -torch.log(-torch.log(uniform_KC + self.eps) + self.eps)
            tau = self.temperature(context.epoch)
            return torch.softmax((self.logits + gumbel_KC) / tau, dim=-1)
        if self.use_hard_inference:
            bands_K = self.logits.argmax(dim=-1)
            return functional.one_hot(bands_K, self.input_channels).to(self.logits.dtype)
        return torch.softmax(self.logits / self.tau_end, dim=-1)
