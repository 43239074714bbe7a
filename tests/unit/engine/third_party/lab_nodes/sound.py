"""Third-party nodes that follow the published contract."""
# ruff: noqa: RUF012  (ports are declared as published classes declare them)

import threading

import numpy as np
import torch
from lab_contract import Node, PortSpec
from lab_contract.execution import Artifact, ExecutionStage, Metric

CUBE = PortSpec(torch.float32, (-1, -1, -1, -1))


class Centre(Node):
    """data - mean, the mean of each channel fitted on the data."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"centred": PortSpec(torch.float32, (-1, -1, -1, "num_channels"))}
    TRAINABLE_BUFFERS = ("mean",)

    def __init__(self, num_channels, **kwargs):
        self.num_channels = num_channels
        super().__init__(num_channels=num_channels, **kwargs)
        self.register_buffer("mean", torch.zeros(num_channels))
        self.contexts = []

    def statistical_initialization(self, input_stream):
        total, count = torch.zeros(self.num_channels, dtype=torch.float64), 0
        for inputs in input_stream:
            pixels = inputs["data"].reshape(-1, self.num_channels)
            total += pixels.sum(dim=0)
            count += len(pixels)
        if count == 0:
            raise RuntimeError("no data")
        self.mean = (total / count).float()
        self._statistically_initialized = True

    def forward(self, data, context=None, **_):
        if not self._statistically_initialized:
            raise RuntimeError("never fitted")
        self.contexts.append(context)
        return {"centred": data - self.mean}


class Bands(Node):
    """Keeps the bands below a wavelength; wavelengths are numpy, in and out."""

    INPUT_SPECS = {"data": CUBE, "wavelengths": PortSpec(np.int32, (-1,))}
    OUTPUT_SPECS = {"kept": CUBE, "wavelengths": PortSpec(np.int32, (-1,))}

    def __init__(self, below_nm, **kwargs):
        super().__init__(below_nm=below_nm, **kwargs)
        self.below_nm = below_nm

    def forward(self, data, wavelengths, **_):
        assert isinstance(wavelengths, np.ndarray)
        keep = wavelengths < self.below_nm
        return {"kept": data[..., torch.from_numpy(keep)], "wavelengths": wavelengths[keep]}


class Project(Node):
    """A linear layer that is trainable from the start."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"scores": PortSpec(torch.float32, (-1, -1, -1, 1))}

    def __init__(self, num_channels, **kwargs):
        super().__init__(num_channels=num_channels, **kwargs)
        self.layer = torch.nn.Linear(num_channels, 1)

    def forward(self, data, **_):
        return {"scores": self.layer(data)}


class Sum(Node):
    """A node with a variadic port, and a port for tensors of any dtype."""

    INPUT_SPECS = {
        "terms": [PortSpec(torch.Tensor, (-1, -1, -1, -1))],
        "scale": PortSpec(torch.float32, (), optional=True),
    }
    OUTPUT_SPECS = {"sum": CUBE}

    def forward(self, terms, scale=None, **_):
        total = sum(term.float() for term in terms)
        return {"sum": total if scale is None else total * scale}


class Report(Node):
    """Metrics and pictures at every stage."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"metrics": PortSpec(list, ()), "artifacts": PortSpec(list, ())}

    def forward(self, data, context, **_):
        where = {
            "stage": context.stage,
            "epoch": context.epoch,
            "batch_idx": context.batch_idx,
        }
        picture = np.zeros((2, 2, 3), dtype=np.uint8)
        return {
            "metrics": [Metric("mean", float(data.mean()), **where)],
            "artifacts": [Artifact("grey", picture, 0, "all grey", "image", **where)],
        }


class Sink(Node):
    """Stores its inputs."""

    INPUT_SPECS = {"metrics": [PortSpec(list, (), optional=True)]}
    OUTPUT_SPECS = {}

    def __init__(self, **kwargs):
        super().__init__(execution_stages={ExecutionStage.VAL, ExecutionStage.TEST}, **kwargs)
        self.taken = []

    def forward(self, metrics=None, **_):
        self.taken.append(metrics)
        return {}


class Palette(Node):
    """Stores a number of the brightest pixels of the data; none before the fit."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"distance": PortSpec(torch.float32, (-1, -1, -1, 1))}

    def __init__(self, size, **kwargs):
        super().__init__(size=size, **kwargs)
        self.size = size
        self.register_buffer("colours", torch.empty(0, 0))

    def statistical_initialization(self, input_stream):
        pixels = torch.cat([batch["data"].flatten(0, 2) for batch in input_stream])
        brightest = pixels.sum(dim=-1).topk(self.size).indices
        self.colours = pixels[brightest]
        self._statistically_initialized = True

    def forward(self, data, **_):
        return {
            "distance": torch.cdist(data.flatten(1, 2), self.colours)
            .amin(-1)
            .view(*data.shape[:3], 1)
        }


class Meeting(Node):
    """Records whether two calls were ever concurrent."""

    INPUT_SPECS = {"data": CUBE}
    OUTPUT_SPECS = {"same": CUBE}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.barrier = threading.Barrier(2, timeout=0.3)
        self.met = False

    def forward(self, data, **_):
        try:
            self.barrier.wait()
            self.met = True
        except threading.BrokenBarrierError:
            self.barrier.reset()
        return {"same": data}
