"""Base class of all loss nodes."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage


class LossNode(Node):
    """A node that outputs a scalar to minimise; it never runs at inference."""

    CATEGORY = NodeCategory.LOSS
    OUTPUT_SPECS: ClassVar[Ports] = {"loss": PortSpec(torch.float32, (), "to be minimised")}
    STAGES = frozenset({Stage.TRAIN, Stage.VAL, Stage.TEST})
    OBSERVER = True

    def __init__(self, **hparams: Any) -> None:
        """Initialise the node.

        Raises:
            ValueError: `execution_stages` is given; the stages of a loss cannot be chosen.
        """
        if hparams.get("execution_stages") is not None:
            raise ValueError("hparam 'execution_stages' is not available for losses; leave it out")
        super().__init__(**hparams)

    def require_same_shape(self, port: str, value: Tensor, other_port: str, other: Tensor) -> None:
        """Refuse two inputs of different shapes, which would be broadcast.

        Raises:
            InvalidInput: the shapes differ.
        """
        if value.shape != other.shape:
            raise self.refuse(
                port, f"shape {list(value.shape)}", f"{list(other.shape)}, as '{other_port}' has"
            )
