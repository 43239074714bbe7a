"""Applies a trainrun's settings to a session."""

from fleet_engine import build_pipeline
from fleet_engine.weights import load_weights, to_safetensors
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import OutOfOrder
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, SessionRecord
from fleet_schemas import TrainRunConfig, canonical_json, digest, parse_config
from fleet_trainer.pipeline_source import PipelineSource, read_pipeline
from fleet_trainer.training_runs import TrainingRuns


class TrainRunSetup:
    """Checks a trainrun completely before it changes the session."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        runs: TrainingRuns,
        policy: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
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
        self._refuse_while_training(session)
        pipeline = None
        if trainrun.pipeline is not None:
            source = read_pipeline(trainrun.pipeline, self._policy, session.search_paths)
            pipeline = self._checked(source)
        rest = trainrun.to_dict()
        del rest["pipeline"]

        def change(record: SessionRecord) -> None:
            if record.run_id != session.run_id:
                self._refuse_while_training(record)
            if pipeline is not None:
                record.pipeline.CopyFrom(pipeline)
            elif not record.HasField("pipeline"):
                raise OutOfOrder(
                    "Neither the trainrun nor the session has a pipeline. Call LoadPipeline first,"
                    " or send a trainrun with a 'pipeline'."
                )
            training = trainrun.training
            record.data_config_json = canonical_json(trainrun.data)
            record.training_config_json = canonical_json(training) if training else b""
            record.trainrun_config_json = canonical_json(rest)

        self._sessions.update(session_id, change)
        return pipeline is not None

    def _checked(self, source: PipelineSource) -> Pipeline:
        config_json = canonical_json(source.config)
        pipeline = build_pipeline(source.config)
        weights_digest = ""
        if source.weights is not None:
            load_weights(pipeline, source.weights, strict=True)
            weights_digest = self._artifacts.put(to_safetensors(pipeline))
        return Pipeline(
            config_json=config_json,
            config_digest=digest(config_json),
            weights_digest=weights_digest,
        )

    def _refuse_while_training(self, session: SessionRecord) -> None:
        if self._runs.active(session) is not None:
            raise OutOfOrder(
                "A training runs in this session. Call SetTrainRunConfig when it has ended; Train"
                " follows it and GetTrainStatus tells where it stands."
            )
