"""Categories of nodes."""

from enum import StrEnum


class NodeCategory(StrEnum):
    """The purpose of a node, by which palettes group nodes.

    The names are those of the enum in the proto.
    """

    UNSPECIFIED = "unspecified"
    SOURCE = "source"
    SINK = "sink"
    TRANSFORM = "transform"
    MODEL = "model"
    LOSS = "loss"
    METRIC = "metric"
    OPTIMIZER = "optimizer"
    SCHEDULER = "scheduler"
    REGULARIZER = "regularizer"
    RUNNER = "runner"
    VISUALIZER = "visualizer"
    CONTROL = "control"
