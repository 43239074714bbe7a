"""Applies a trainrun to a session."""

from dataclasses import dataclass

from fleet_engine.plugins import PluginLoader
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.runs import RunStore, require_no_training
from fleet_platform.sessions import SessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import TrainRunConfig, parse_config
from fleet_trainer.trainruns.prepared import PreparedTrainRun, stored_pipeline
from fleet_trainer.trainruns.sources import read_pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRunSetup:
    """Implements ``SetTrainRunConfig``: checks a trainrun completely, then changes the session."""

    sessions: SessionStore
    artifacts: ArtifactStore
    plugins: PluginLoader
    runs: RunStore
    paths: PathPolicy

    def apply(self, session_id: str, config_json: bytes) -> bool:
        """Apply a trainrun to the session; a pipeline in it replaces the session's.

        Returns:
            Whether the trainrun contains a pipeline.

        Raises:
            NotFound: the session, or a file that the trainrun names, does not exist.
            InvalidInput: the trainrun or its pipeline is malformed.
            OutOfOrder: a training is active, or neither trainrun nor session has a pipeline.
        """
        session = self.sessions.read(session_id)
        trainrun = parse_config(TrainRunConfig, config_json, "trainrun")
        require_no_training(session, self.runs)
        pipeline = None
        if trainrun.pipeline is not None:
            source = read_pipeline(trainrun.pipeline, self.paths, session.search_paths)
            pipeline = stored_pipeline(
                source, self.artifacts, self.plugins, session.plugins, strict=True
            )
        prepared = PreparedTrainRun(trainrun, pipeline)

        def change(record: SessionRecord) -> None:
            if record.run_id != session.run_id:
                require_no_training(record, self.runs)
            prepared.write_to(record)

        self.sessions.update(session_id, change)
        return pipeline is not None
