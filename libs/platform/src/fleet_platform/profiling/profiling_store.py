"""The contract of a profiling store."""

from collections.abc import Mapping
from typing import Protocol

from fleet_platform.profiling.timing_stats import TimingStats


class ProfilingStore(Protocol):
    """Sums up the timings of each session's pipeline, whichever replica measured them.

    What is kept of a node in a stage does not grow with the number of timings. It is forgotten as a
    session is: when the session's lifetime has passed without a call of this store, and it belongs
    to one pipeline: the first timing of another one replaces it.
    """

    def record(
        self,
        session_id: str,
        pipeline_digest: str,
        stage: int,
        durations_ms: Mapping[str, float],
        skip_first_n: int,
    ) -> None:
        """Add one execution of some nodes, in one step.

        Args:
            session_id: whose pipeline ran.
            pipeline_digest: of its configuration.
            stage: number of ``cuvis_ai.v1.ExecutionStage``.
            durations_ms: by name of the node.
            skip_first_n: executions of a node that are left out, from the first one since the last
                reset.

        Raises:
            DependencyDown: the store does not answer.
        """

    def summary(self, session_id: str, pipeline_digest: str) -> list[TimingStats]:
        """What was recorded for this pipeline, in no particular order; nothing where nothing was.

        Raises:
            DependencyDown: the store does not answer.
        """

    def reset(self, session_id: str) -> None:
        """Forget a session's timings, and how many were left out.

        Raises:
            DependencyDown: the store does not answer.
        """
