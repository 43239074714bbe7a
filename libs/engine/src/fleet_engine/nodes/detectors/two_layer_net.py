"""A perceptron with one hidden layer."""

import torch
from torch import Tensor, nn


class TwoLayerNet(nn.Module):
    """``z = W2 relu(W1 x + b1)``.

    The last layer has no bias: with one, Deep SVDD could map every pixel onto the centre (Ruff et
    al. 2018, prop. 2). W1 and b1 are initialised uniformly in +-1/sqrt(in_features), W2 with Glorot
    uniform.

    Args:
        in_features: length of x.
        hidden: length of the hidden layer.
        out_features: length of z.
    """

    def __init__(self, in_features: int, hidden: int, out_features: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden)
        self.fc2 = nn.Linear(hidden, out_features, bias=False)
        nn.init.xavier_uniform_(self.fc2.weight)

    def forward(self, x_NI: Tensor) -> Tensor:
        """Map x [N, in_features] to z [N, out_features]."""
        z_NO: Tensor = self.fc2(torch.relu(self.fc1(x_NI)))
        return z_NO
