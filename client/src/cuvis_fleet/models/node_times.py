"""Timings of a node."""

from dataclasses import dataclass

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class NodeTimes:
    """Timings of one node in one stage, in milliseconds.

    Attributes:
        node: name of the node in the pipeline.
        stage: execution stage, such as ``inference``.
        count: number of timed executions.
        mean_ms: arithmetic mean.
        median_ms: median.
        std_ms: standard deviation.
        min_ms: shortest.
        max_ms: longest.
        total_ms: sum.
    """

    node: str
    stage: str
    count: int
    mean_ms: float
    median_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    total_ms: float

    @classmethod
    def from_wire(cls, stats: pb.NodeProfilingStats) -> "NodeTimes":
        """Create from a message."""
        names = {value: name for name, value in pb.ExecutionStage.items()}
        stage = names.get(stats.stage, str(stats.stage))
        return cls(
            node=stats.node_name,
            stage=stage.removeprefix("EXECUTION_STAGE_").lower(),
            count=stats.count,
            mean_ms=stats.mean_ms,
            median_ms=stats.median_ms,
            std_ms=stats.std_ms,
            min_ms=stats.min_ms,
            max_ms=stats.max_ms,
            total_ms=stats.total_ms,
        )
