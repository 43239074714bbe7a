"""Weights channels by a trainable softmax."""

from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.statistics_node import StatisticsNode

ChannelCount = Annotated[int, Field(gt=0, le=16384)]


@published("cuvis_ai.node.channel_selector.SoftChannelSelector")
class SoftChannelSelector(StatisticsNode[Moments]):
    """``selected_c = w_c x_c`` with ``w = n_select * softmax(channel_logits / temperature_init)``.

    The number of channels is kept. A fit sets the logits to 0, or to ``log(var_c + eps)`` with the
    sample variance (n - 1) of all training pixels.

    Args:
        n_select: sum of the weights.
        input_channels: channels of the cube.
        init_method: `uniform`, or `variance`, for which the logits are 0.01 N(0, 1) before the fit.
        temperature_init: temperature of the softmax.
        temperature_min: accepted for compatibility; no published trainer lowers the temperature.
        temperature_decay: likewise.
        hard: outside of training, the n_select channels with the largest logits have weight 1, all
            others 0.
        eps: keeps the logarithm finite.

    Raises:
        ValueError: n_select is larger than input_channels.
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
        "selected": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "weights": PortSpec(torch.float32, (-1,), "of each channel; they sum to n_select"),
    }
    TRAINABLE_BUFFERS = ("channel_logits",)
    PIXEL_PORTS = frozenset({"data", "selected"})
    USABLE_UNFITTED = True

    channel_logits: Tensor

    def __init__(
        self,
        n_select: ChannelCount,
        input_channels: ChannelCount,
        *,
        init_method: Literal["uniform", "variance"] = "uniform",
        temperature_init: Annotated[float, Field(gt=0)] = 5.0,
        temperature_min: float = 0.1,
        temperature_decay: float = 0.9,
        hard: bool = False,
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        **hparams: Any,
    ) -> None:
        super().__init__(
            n_select=n_select,
            input_channels=input_channels,
            init_method=init_method,
            temperature_init=temperature_init,
            temperature_min=temperature_min,
            temperature_decay=temperature_decay,
            hard=hard,
            eps=eps,
            **hparams,
        )
        if n_select > input_channels:
            raise ValueError(
                f"hparam 'n_select' is {n_select}; it must be at most the {input_channels} of "
                "input_channels"
            )
        self.n_select = n_select
        self.input_channels = input_channels
        self.by_variance = init_method == "variance"
        self.temperature = temperature_init
        self.hard = hard
        self.eps = eps
        start_C = torch.zeros(input_channels)
        if self.by_variance:
            start_C = 0.01 * torch.randn(input_channels)
        self.register_buffer("channel_logits", start_C)
        self.statistics = self.new_statistics()

    def new_statistics(self) -> Moments:
        """Return empty statistics on the device of the node."""
        return Moments(self.input_channels, self.channel_logits.device)

    def fit_update(self, *, data: Tensor, **_: Any) -> None:
        """Add the pixels of cube_BHWC to the statistics."""
        self._check_channels(data)
        if self.by_variance:
            self.statistics.update(data.reshape(-1, self.input_channels))

    def fit_end(self) -> None:
        """Set the logits.

        Raises:
            InvalidInput: the variance is needed, and there were fewer than two pixels.
        """
        logits_C = torch.zeros_like(self.statistics.mean_C)
        if self.by_variance:
            logits_C = torch.log(self.statistics.covariance().diagonal() + self.eps)
        self.store("channel_logits", logits_C)
        self.fitted = True

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Weight the channels.

        Args:
            data: cube_BHWC, float32; C equals input_channels.

        Returns:
            selected [B, H, W, C] and weights [C], float32.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self._check_channels(data)
        weights_C = self._weights()
        return {"selected": data * weights_C, "weights": weights_C}

    def _weights(self) -> Tensor:
        logits_C = self.channel_logits
        if self.hard and not self.training:
            chosen = torch.topk(logits_C, self.n_select).indices
            return torch.zeros_like(logits_C).index_fill(0, chosen, 1.0)
        return self.n_select * torch.softmax(logits_C / self.temperature, dim=0)

    def _check_channels(self, data: Tensor) -> None:
        self.require_channels("data", data, "input_channels", self.input_channels)
