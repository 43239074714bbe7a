"""A third-party node written for this engine."""
# ruff: noqa: RUF012  (ports are declared as published classes declare them)

from typing import Annotated

import torch
from pydantic import Field

from fleet_engine import Node, PortSpec


class Gain(Node):
    INPUT_SPECS = {"data": PortSpec(torch.float32, (-1, -1, -1, -1))}
    OUTPUT_SPECS = {"scaled": PortSpec(torch.float32, (-1, -1, -1, -1))}
    PIXEL_PORTS = frozenset({"data", "scaled"})

    def __init__(self, gain: Annotated[float, Field(gt=0)], **hparams):
        super().__init__(gain=gain, **hparams)
        self.gain = gain

    def forward(self, data, **_):
        return {"scaled": data * self.gain}


class Clumsy(Node):
    def __init__(self, **hparams):
        super().__init__(**hparams)
        raise RuntimeError("no licence")


class Unhinted(Node):
    def __init__(self, table: "NoSuchType" = None, **hparams):  # noqa: F821
        super().__init__(**hparams)
