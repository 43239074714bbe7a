"""Statistics of the timings of one node."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimingStats:
    """Statistics of one node in one stage over all replicas; durations in milliseconds.

    Attributes:
        node_name: name of the node in the pipeline.
        stage: number of the ``cuvis_ai.v1.ExecutionStage``.
        count: number of timed executions.
        mean_ms: arithmetic mean.
        median_ms: median, within 1 %.
        std_ms: population standard deviation, as published servers report it.
        min_ms: shortest duration.
        max_ms: longest duration.
        total_ms: sum of all durations.
        last_ms: most recently recorded duration.
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
