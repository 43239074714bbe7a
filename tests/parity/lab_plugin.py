"""Third-party nodes that use only the published base classes."""

import torch
from cuvis_ai.anomaly.rx_detector import RXGlobal
from cuvis_ai.node.channel_selector import FixedWavelengthSelector
from cuvis_ai_core.node import Node
from cuvis_ai_schemas.enums import ExecutionStage
from cuvis_ai_schemas.execution import Metric
from cuvis_ai_schemas.pipeline import PortSpec

FREE = (-1, -1, -1, -1)


class ChannelScaler(Node):
    """(data - centre) / spread, both fitted for each channel and trainable."""

    INPUT_SPECS = {"data": PortSpec(torch.float32, FREE)}  # noqa: RUF012
    OUTPUT_SPECS = {"scaled": PortSpec(torch.float32, (-1, -1, -1, "num_channels"))}  # noqa: RUF012
    TRAINABLE_BUFFERS = ("centre", "spread")

    def __init__(self, num_channels, **kwargs):
        self.num_channels = num_channels
        super().__init__(num_channels=num_channels, **kwargs)
        self.register_buffer("centre", torch.zeros(num_channels))
        self.register_buffer("spread", torch.ones(num_channels))

    def statistical_initialization(self, input_stream):
        pixels = torch.cat([batch["data"].reshape(-1, self.num_channels) for batch in input_stream])
        self.centre.copy_(pixels.mean(dim=0))
        self.spread.copy_(pixels.std(dim=0))
        self._statistically_initialized = True

    def forward(self, data, **_):
        return {"scaled": (data - self.centre) / self.spread}


class Detector(RXGlobal):
    """A catalogue class under a third-party name."""


class Colours(FixedWavelengthSelector):
    """A catalogue class that accepts its wavelengths as a numpy array."""


class ScoreLevel(Node):
    """The mean score of a batch, as a metric with its position."""

    INPUT_SPECS = {"scores": PortSpec(torch.float32, (-1, -1, -1, 1))}  # noqa: RUF012
    OUTPUT_SPECS = {"metrics": PortSpec(list, ())}  # noqa: RUF012

    def __init__(self, **kwargs):
        name, stages = Node.consume_base_kwargs(kwargs, {ExecutionStage.VAL, ExecutionStage.TEST})
        super().__init__(name=name, execution_stages=stages, **kwargs)

    def forward(self, scores, context):
        assert isinstance(context.stage, ExecutionStage)
        level = Metric("level", float(scores.mean()), context.stage, context.epoch)
        return {"metrics": [level]}
