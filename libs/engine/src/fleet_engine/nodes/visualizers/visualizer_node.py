"""Base class of all nodes that draw."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.context import Context
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage

UpTo = Annotated[int, Field(ge=0)] | None
"""Maximum number of measurements drawn per batch; None: all."""


class Picture(NamedTuple):
    """A picture that a visualizer drew.

    Attributes:
        name: unique within the node and batch.
        measurement: index of the measurement in the batch.
        value_HW3: uint8 RGB.
        desc: one-line description.
    """

    name: str
    measurement: int
    value_HW3: npt.NDArray[np.uint8]
    desc: str


class VisualizerNode(Node):
    """A node that draws the first measurements of each batch; it never runs at inference."""

    CATEGORY = NodeCategory.VISUALIZER
    OUTPUT_SPECS: ClassVar[Ports] = {"artifacts": PortSpec(None, (), "list of Artifact")}
    STAGES = frozenset({Stage.VAL, Stage.TEST})
    OBSERVER = True

    def measurements(self, batch: Tensor, up_to: int | None) -> range:
        """Return the indices of the measurements to draw."""
        return range(len(batch) if up_to is None else min(len(batch), up_to))

    def require_pixels(self, port: str, value: Tensor, pixels_BHW: tuple[int, ...]) -> None:
        """Refuse an input whose first axes differ from those of the others.

        Raises:
            InvalidInput: the axes differ.
        """
        if tuple(value.shape[:3]) != pixels_BHW:
            raise self.refuse(
                port, f"shape {list(value.shape)}", f"{[*pixels_BHW]} as the first three axes"
            )

    def artifacts(self, pictures: Iterable[Picture], context: Context) -> dict[str, list[Artifact]]:
        """Return the output of the node for the given pictures."""
        return {
            "artifacts": [
                Artifact(
                    picture.name,
                    picture.value_HW3,
                    picture.measurement,
                    picture.desc,
                    context.stage,
                    context.epoch,
                    context.batch_idx,
                )
                for picture in pictures
            ]
        }


def place(context: Context, measurement: int) -> str:
    """Return the position of a picture in the run, for its title."""
    return (
        f"{context.stage.value}, epoch {context.epoch}, batch {context.batch_idx}, "
        f"measurement {measurement}"
    )


def numbers(values: Tensor) -> npt.NDArray[Any]:
    """Return a tensor as an array on the CPU."""
    return values.detach().cpu().numpy()
