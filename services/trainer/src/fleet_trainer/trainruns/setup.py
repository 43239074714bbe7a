"""Applies a trainrun's settings to a session."""

from fleet_engine.plugins import PluginLoader
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, SessionRecord
from fleet_schemas import TrainRunConfig, parse_config
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.trainruns.idle_session import require_idle
from fleet_trainer.trainruns.prepared import PreparedTrainRun, stored_pipeline
from fleet_trainer.trainruns.sources import PipelineSource, read_pipeline

_METHOD = "SetTrainRunConfig"


class TrainRunSetup:
    """Checks a trainrun completely before it changes the session."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        runs: TrainingRuns,
        policy: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._plugins = plugins
        self._runs = runs
        self._policy = policy

    def apply(self, session_id: str, config_json: bytes) -> bool:
        """Make the trainrun the session's; a pipeline in it replaces the session's.

        Returns:
            Whether the trainrun has a pipeline.

        Raises:
            NotFound: the session, or a file that the trainrun names.
            InvalidInput: the trainrun or its pipeline is malformed.
            OutOfOrder: a training runs, or there is a pipeline neither in it nor in the session.
        """
        session = self._sessions.read(session_id)
        trainrun = parse_config(TrainRunConfig, config_json, "trainrun")
        require_idle(session, self._runs, _METHOD)
        pipeline = None
        if trainrun.pipeline is not None:
            source = read_pipeline(trainrun.pipeline, self._policy, session.search_paths)
            pipeline = self._checked(source, session)
        prepared = PreparedTrainRun(trainrun, pipeline)

        def change(record: SessionRecord) -> None:
            if record.run_id != session.run_id:
                require_idle(record, self._runs, _METHOD)
            prepared.write_to(record)

        self._sessions.update(session_id, change)
        return pipeline is not None

    def _checked(self, source: PipelineSource, session: SessionRecord) -> Pipeline:
        return stored_pipeline(source, self._artifacts, self._plugins, session.plugins, strict=True)
