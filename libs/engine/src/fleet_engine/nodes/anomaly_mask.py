"""Draws where decisions and truth agree."""

from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import NotImplementedYet


@published("cuvis_ai.node.anomaly_visualization.AnomalyMask")
class AnomalyMask(Node):
    """Panels of one channel with hits, false alarms and misses in colours; never at inference.

    Args:
        channel: channel of the grey background.
        up_to: most measurements drawn per batch; None: all.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly", optional=True),
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "scores": PortSpec(torch.float32, (-1, -1, -1, 1), "larger: anomalous", optional=True),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {"artifacts": PortSpec(None, (), "list of figures")}
    STAGES = frozenset({Stage.VAL, Stage.TEST})
    OBSERVER = True

    def __init__(
        self,
        channel: Annotated[int, Field(ge=0)],
        up_to: Annotated[int, Field(ge=0)] | None = None,
        **hparams: Any,
    ) -> None:
        super().__init__(channel=channel, up_to=up_to, **hparams)

    def forward(self, **_: Any) -> dict[str, Any]:
        """Draw the panels; comes with gradient training."""
        raise NotImplementedYet(f"Node '{self.name}': figures come with gradient training.")
