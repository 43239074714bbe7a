"""Random features whose inner products approximate a Gaussian kernel."""

import math

import torch
from torch import Tensor, nn


class RandomFourierFeatures(nn.Module):
    """``phi(x) = sqrt(2 / F) cos(x W + b)`` (Rahimi & Recht 2007, alg. 1).

    ``phi(x) . phi(y)`` approximates ``exp(-gamma |x - y|^2)``. W is normal with variance 2 gamma, b
    uniform in [0, 2 pi). Both are drawn once, belong to the weights and are never trained.

    Args:
        in_features: length of x.
        features: F, length of phi.
        gamma: inverse squared width of the kernel.
    """

    W: Tensor
    b: Tensor
    z_scale: Tensor

    def __init__(self, in_features: int, features: int, gamma: float) -> None:
        super().__init__()
        self.register_buffer("W", torch.randn(in_features, features) * math.sqrt(2.0 * gamma))
        self.register_buffer("b", torch.rand(features) * (2.0 * math.pi))
        self.register_buffer("z_scale", torch.tensor(math.sqrt(2.0 / features)))

    def forward(self, x_NI: Tensor) -> Tensor:
        """Map x [N, in_features] to phi [N, features]."""
        return self.z_scale * torch.cos(x_NI @ self.W + self.b)
