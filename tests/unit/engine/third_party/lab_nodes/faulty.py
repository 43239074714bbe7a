"""Classes that are not nodes, or violate their declarations."""
# ruff: noqa: RUF012  (ports are declared as published classes declare them)

import torch
from lab_contract import Node, PortSpec

CUBE = PortSpec(torch.float32, (-1, -1, -1, -1))
NOT_A_CLASS = 3


class PlainObject:
    pass


class PlainModule(torch.nn.Module):
    def forward(self, data):
        return data


class NoForward(Node):
    INPUT_SPECS = {"data": CUBE}


class Constructed(Node):
    INPUT_SPECS = {"data": CUBE}

    def __init__(self, size, **kwargs):
        super().__init__(size=size, **kwargs)
        self.table = [0][size]

    def forward(self, **_):
        return {}


class Dimension(Node):
    INPUT_SPECS = {"data": PortSpec(torch.float32, (-1, "width"))}

    def forward(self, **_):
        return {}


class SpecWithoutShape(Node):
    INPUT_SPECS = {"data": torch.float32}

    def forward(self, **_):
        return {}


class EmptyVariadic(Node):
    INPUT_SPECS = {"data": []}

    def forward(self, **_):
        return {}


class State(Node):
    def forward(self, **_):
        return {}

    def state_dict(self, *args, **kwargs):
        return {**super().state_dict(*args, **kwargs), "colour": "red"}


class Stage(Node):
    def __init__(self):
        super().__init__(execution_stages={"sometimes"})

    def forward(self, **_):
        return {}


class Behaves(Node):
    """Returns what the hparam selects."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"scores": PortSpec(torch.float32, (-1, -1, -1, 1))}

    def __init__(self, how, **kwargs):
        super().__init__(how=how, **kwargs)
        self.how = how

    def forward(self, data, **_):
        match self.how:
            case "raises":
                raise KeyError("spectrum")
            case "out of memory":
                raise torch.OutOfMemoryError("the card is full")
            case "gives a list":
                return [data]
            case "gives nothing":
                return {}
            case "gives another shape":
                return {"scores": data}


class FailsToFit(Node):
    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"same": CUBE}

    def statistical_initialization(self, input_stream):
        for _ in input_stream:
            raise ZeroDivisionError("no spread")

    def forward(self, data, **_):
        return {"same": data}
