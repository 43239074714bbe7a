"""A node with only the published form of a fit."""

from typing import ClassVar

import torch

from fleet_engine import Node, PortSpec

STREAM_MEAN = f"{__name__}.StreamMean"
"""To be allowed by `allow_node_packages` before it is used."""
CUBE = PortSpec(torch.float32, (-1, -1, -1, -1))


class StreamMean(Node):
    """Subtracts the mean of the training data; has only the published form of a fit."""

    INPUT_SPECS: ClassVar = {"data": CUBE}
    OUTPUT_SPECS: ClassVar = {"centred": CUBE}
    TRAINABLE_BUFFERS = ("mean",)

    def __init__(self, enough=None, fails_at=None, **hparams):
        super().__init__(**hparams)
        self.register_buffer("mean", torch.tensor(float("nan")))
        self.enough, self.fails_at = enough, fails_at

    def statistical_initialization(self, stream):
        seen = []
        for index, inputs in enumerate(stream):
            if index == self.fails_at:
                raise RuntimeError("no more")
            if index == self.enough:
                break
            seen.append(inputs["data"].flatten())
        self.mean = torch.cat(seen).mean()

    def forward(self, data, **_):
        return {"centred": data - self.mean}
