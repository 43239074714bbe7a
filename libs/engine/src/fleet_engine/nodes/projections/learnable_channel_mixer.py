"""Reduces the channels by a small trainable network."""

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.statistics.moments import Moments
from fleet_engine.nodes.statistics.statistics_node import StatisticsNode

Size = Annotated[int, Field(gt=0, le=16384)]


@published("cuvis_ai.node.channel_mixer.LearnableChannelMixer")
class LearnableChannelMixer(StatisticsNode[Moments]):
    """Layers ``y = W x + b`` along the channels of each pixel (DRCNN, Zeegers et al. 2020).

    A leaky ReLU follows each layer, except the last one if the output is normalised. In a
    normalised output, each channel becomes ``(y - min y) / max(max y - min y, eps)`` over the
    pixels of one measurement. The parameters are trainable from the start, and biases start at 0.

    With `pca`, a fit sets the rows of the first layer's W to the eigenvectors of the training
    pixels' covariance with the largest eigenvalues, in descending order, with the signs that LAPACK
    returns; rows beyond the number of channels become 0. Nothing else is set: data are not centred.

    Args:
        input_channels: channels of the cube.
        output_channels: channels of the result.
        leaky_relu_negative_slope: slope for negative values.
        use_bias: add b.
        use_activation: apply the leaky ReLU.
        normalize_output: scale each output channel to [0, 1].
        init_method: initial weights; `xavier`, and `pca` before the fit: Glorot uniform; `kaiming`:
            He uniform with the slope of the leaky ReLU; `zeros`: 0.
        eps: lower bound on the width of the range.
        reduction_scheme: number of channels before and after each layer; None: a single layer.

    Raises:
        ValueError: the scheme does not lead from input_channels to output_channels.
    """

    CATEGORY = NodeCategory.MODEL
    TAGS = (
        NodeTag.RGB,
        NodeTag.HYPERSPECTRAL,
        NodeTag.DIM_REDUCTION,
        NodeTag.PREPROCESSING,
        NodeTag.LEARNABLE,
        NodeTag.DIFFERENTIABLE,
    )
    INPUT_SPECS: ClassVar[Ports] = {"data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC")}
    OUTPUT_SPECS: ClassVar[Ports] = {
        "rgb": PortSpec(torch.float32, (-1, -1, -1, -1), "[B, H, W, output_channels]")
    }
    PIXEL_PORTS = frozenset({"data", "rgb"})

    def __init__(
        self,
        input_channels: Size,
        output_channels: Size,
        *,
        leaky_relu_negative_slope: float = 0.01,
        use_bias: bool = True,
        use_activation: bool = True,
        normalize_output: bool = True,
        init_method: Literal["xavier", "kaiming", "pca", "zeros"] = "xavier",
        eps: Annotated[float, Field(ge=0)] = 1e-6,
        reduction_scheme: list[Size] | None = None,
        **hparams: Any,
    ) -> None:
        scheme = reduction_scheme
        if scheme is None:
            scheme = [input_channels, output_channels]
        super().__init__(
            input_channels=input_channels,
            output_channels=output_channels,
            leaky_relu_negative_slope=leaky_relu_negative_slope,
            use_bias=use_bias,
            use_activation=use_activation,
            normalize_output=normalize_output,
            init_method=init_method,
            eps=eps,
            reduction_scheme=scheme,
            **hparams,
        )
        if len(scheme) < 2 or (scheme[0], scheme[-1]) != (input_channels, output_channels):
            raise ValueError(
                f"hparam 'reduction_scheme' is {scheme}; it must begin with {input_channels} "
                f"(input_channels) and end with {output_channels} (output_channels)"
            )
        self.input_channels = input_channels
        self.negative_slope = leaky_relu_negative_slope if use_activation else 1.0
        self.normalize_output = normalize_output
        self.by_pca = init_method == "pca"
        self.eps = eps
        # 1x1 convolutions have the published state keys and shapes.
        self.convs = nn.ModuleList(
            nn.Conv2d(wide, narrow, kernel_size=1, bias=use_bias)
            for wide, narrow in pairwise(scheme)
        )
        self._initialise(init_method)
        self.statistics = self.new_statistics()

    @property
    def requires_fit(self) -> bool:
        """True only for principal components."""
        return self.by_pca

    @property
    def pixel_ports(self) -> frozenset[str]:
        """Empty if the output is normalised, where the pixels of a measurement interact."""
        return frozenset() if self.normalize_output else super().pixel_ports

    def new_statistics(self) -> Moments:
        """Return empty statistics on the device of the node."""
        return Moments(self.input_channels, self._layers()[0].weight.device)

    def fit_update(self, *, data: Tensor, **_: Any) -> None:
        """Add the pixels of cube_BHWC to the statistics."""
        self._check_channels(data)
        self.statistics.update(data.reshape(-1, self.input_channels))

    def fit_end(self) -> None:
        """Set the first layer to the principal components.

        Raises:
            InvalidInput: fewer than two pixels.
        """
        # On the CPU, so that the signs do not depend on the device of the data.
        _, vectors_CC = torch.linalg.eigh(self.statistics.covariance().cpu())
        weight_KC11 = self._layers()[0].weight
        components_KC = vectors_CC.flip(1).T[: weight_KC11.shape[0]]
        with torch.no_grad():
            weight_KC11.zero_()
            weight_KC11[: len(components_KC), :, 0, 0] = components_KC.to(weight_KC11)
        self.fitted = True

    def forward(self, data: Tensor, **_: Any) -> dict[str, Tensor]:
        """Mix the channels.

        Args:
            data: cube_BHWC, float32; C equals input_channels.

        Returns:
            rgb [B, H, W, output_channels], float32.

        Raises:
            InvalidInput: the number of channels does not match.
        """
        self._check_channels(data)
        mixed = data
        for place, layer in enumerate(self._layers(), start=1):
            mixed = functional.linear(mixed, layer.weight.flatten(1), layer.bias)
            if place < len(self.convs) or not self.normalize_output:
                mixed = functional.leaky_relu(mixed, self.negative_slope)
        if self.normalize_output:
            low = mixed.amin(dim=(1, 2), keepdim=True)
            high = mixed.amax(dim=(1, 2), keepdim=True)
            mixed = (mixed - low) / torch.clamp(high - low, min=self.eps)
        return {"rgb": mixed}

    def _layers(self) -> list[nn.Conv2d]:
        return cast("list[nn.Conv2d]", list(self.convs))

    def _initialise(self, method: str) -> None:
        for layer in self._layers():
            if method == "kaiming":
                nn.init.kaiming_uniform_(layer.weight, a=0.01, nonlinearity="leaky_relu")
            elif method == "zeros":
                nn.init.zeros_(layer.weight)
            else:
                nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def _check_channels(self, data: Tensor) -> None:
        self.require_channels("data", data, "input_channels", self.input_channels)
