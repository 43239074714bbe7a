"""Stores and returns node timings for sessions' pipelines."""

from typing import NamedTuple

from fleet_engine import NodeTimes
from fleet_platform.errors import AppError, InvalidInput
from fleet_platform.profiling import ProfilingStore, TimingStats
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_platform.telemetry import logger
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import EXECUTION_STAGE_INFERENCE, ExecutionStage
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, parse_config
from fleet_schemas.graph import node_names

_MS_PER_S = 1000.0
_log = logger("fleet.inference")


class ProfilingChange(NamedTuple):
    """Changes to a session's profiling settings; None leaves a setting as it is.

    Attributes:
        enabled: whether nodes are timed.
        synchronize_cuda: whether each timing waits for the GPU.
        skip_first_n: number of executions of a node to skip after a reset.
        reset: whether to delete the timings so far.
    """

    enabled: bool
    synchronize_cuda: bool | None
    skip_first_n: int | None
    reset: bool


class Profiling:
    """Implements ``SetProfiling`` and ``GetProfilingSummary``; stores timings for `Inference`."""

    def __init__(self, *, sessions: SessionStore, timings: ProfilingStore) -> None:
        self._sessions = sessions
        self._timings = timings

    def change(self, session_id: str, change: ProfilingChange) -> bool:
        """Change the profiling settings; every replica applies them from the next call on.

        Returns:
            Whether nodes are now timed.

        Raises:
            NotFound: unknown session.
            OutOfOrder: no pipeline.
            InvalidInput: a negative number of executions to skip.
        """
        if change.skip_first_n is not None and change.skip_first_n < 0:
            raise InvalidInput(f"skip_first_n is {change.skip_first_n}; it must be 0 or more.")

        def apply(record: records.SessionRecord) -> None:
            require_pipeline(record)
            record.profiling.enabled = change.enabled
            if change.synchronize_cuda is not None:
                record.profiling.synchronize_cuda = change.synchronize_cuda
            if change.skip_first_n is not None:
                record.profiling.skip_first_n = change.skip_first_n

        enabled = self._sessions.update(session_id, apply).profiling.enabled
        if change.reset:
            self._timings.reset(session_id)
        return enabled

    def summary(self, session_id: str, stage: int) -> list[TimingStats]:
        """Return the timings of the pipeline's nodes, by stage and in the config's order.

        Args:
            session_id: the session.
            stage: number of ``cuvis_ai.v1.ExecutionStage``; UNSPECIFIED means every stage.

        Raises:
            NotFound: unknown session.
            OutOfOrder: no pipeline.
            InvalidInput: unknown stage.
        """
        if stage not in ExecutionStage.values():
            known = ", ".join(f"{name} {number}" for name, number in ExecutionStage.items())
            raise InvalidInput(f"stage {stage} is unknown; valid: {known}.")
        stored = require_pipeline(self._sessions.read(session_id))
        config = parse_config(PipelineConfig, stored.config_json, "pipeline")
        places = {name: place for place, name in enumerate(node_names(config.nodes))}
        found = self._timings.summary(session_id, stored.config_digest)
        return sorted(
            (stats for stats in found if stage in (0, stats.stage)),
            key=lambda stats: (stats.stage, places.get(stats.node_name, len(places))),
        )

    def keep(self, record: records.SessionRecord, times: NodeTimes) -> None:
        """Add the timings of one inference; if the store fails, only these timings are lost."""
        durations_ms = {name: seconds * _MS_PER_S for name, seconds in times.seconds.items()}
        try:
            self._timings.record(
                record.session_id,
                record.pipeline.config_digest,
                EXECUTION_STAGE_INFERENCE,
                durations_ms,
                record.profiling.skip_first_n,
            )
        except AppError as error:
            _log.warning("profiling.lost", session_id=record.session_id, error=error.text)
