"""What the timings of one node come to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimingStats:
    """The timings of one node in one stage, over all replicas; durations in milliseconds.

    Attributes:
        node_name: name of the node in the pipeline.
        stage: number of ``cuvis_ai.v1.ExecutionStage``.
        count: timed executions.
        mean_ms: arithmetic mean.
        median_ms: median, within 1 %.
        std_ms: standard deviation of the population, as published servers tell it.
        min_ms: the shortest.
        max_ms: the longest.
        total_ms: sum.
        last_ms: the one that was recorded last.
    """

    node_name: str
    stage: int
    count: int
    mean_ms: float
    median_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    total_ms: float
    last_ms: float
