"""The contract of a profiling store."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from fleet_platform.profiling.timing_stats import TimingStats


class ProfilingStore(ABC):
    """Accumulates the timings of each session's pipeline over all replicas.

    The size of an entry does not grow with the number of timings. A session's timings expire if
    they are neither added to nor read for as long as a session lives without calls. They belong to
    one pipeline: the first timing of another pipeline replaces them.
    """

    @abstractmethod
    def record(
        self,
        session_id: str,
        pipeline_digest: str,
        stage: int,
        durations_ms: Mapping[str, float],
        skip_first_n: int,
    ) -> None:
        """Add one execution of some nodes, atomically.

        Args:
            session_id: Session whose pipeline ran.
            pipeline_digest: Digest of the pipeline's configuration.
            stage: Number of the ``cuvis_ai.v1.ExecutionStage``.
            durations_ms: Duration in milliseconds by node name.
            skip_first_n: Number of executions of a node to leave out after each reset.

        Raises:
            DependencyDown: the store does not answer.
        """

    @abstractmethod
    def summary(self, session_id: str, pipeline_digest: str) -> list[TimingStats]:
        """Return the timings of this pipeline, in no particular order; empty if none exist.

        Raises:
            DependencyDown: the store does not answer.
        """

    @abstractmethod
    def reset(self, session_id: str) -> None:
        """Delete a session's timings and the counts of skipped executions.

        Raises:
            DependencyDown: the store does not answer.
        """
