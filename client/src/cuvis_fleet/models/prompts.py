"""Prompts that point a pipeline at an object in an image."""

from dataclasses import dataclass
from typing import Literal

from cuvis_fleet.errors import WrongArgument
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

_POINT_TYPES = {
    "positive": pb.POINT_TYPE_POSITIVE,
    "negative": pb.POINT_TYPE_NEGATIVE,
    "neutral": pb.POINT_TYPE_NEUTRAL,
}


@dataclass(frozen=True)
class Box:
    """A box around an object, in pixels.

    Attributes:
        x_min: left edge.
        y_min: upper edge.
        x_max: right edge.
        y_max: lower edge.
        element_id: index of the image in the batch.
        object_id: id of the object that is tracked over frames; None: not tracked.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    element_id: int = 0
    object_id: int | None = None

    def to_wire(self) -> pb.BoundingBox:
        """Convert to a message."""
        return pb.BoundingBox(
            element_id=self.element_id,
            x_min=self.x_min,
            y_min=self.y_min,
            x_max=self.x_max,
            y_max=self.y_max,
            object_id=self.object_id,
        )


@dataclass(frozen=True)
class Point:
    """A point in an image, in pixels.

    Attributes:
        x: column.
        y: row.
        kind: whether it belongs to the wanted object.
        element_id: index of the image in the batch.
    """

    x: float
    y: float
    kind: Literal["positive", "negative", "neutral"] = "neutral"
    element_id: int = 0

    def to_wire(self) -> pb.Point:
        """Convert to a message.

        Raises:
            WrongArgument: the kind is unknown.
        """
        if self.kind not in _POINT_TYPES:
            raise WrongArgument(f"kind is {self.kind!r}; use one of {', '.join(_POINT_TYPES)}")
        kind = _POINT_TYPES[self.kind]
        return pb.Point(element_id=self.element_id, x=self.x, y=self.y, type=kind)
