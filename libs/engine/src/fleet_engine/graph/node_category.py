"""What a node is for."""

from enum import StrEnum


class NodeCategory(StrEnum):
    """A palette groups nodes by it; the names are those of the wire's enum."""

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
