"""A worker in this process, on in-memory stores."""

import uuid
from pathlib import Path

import torch

from fleet_engine import build_pipeline
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import from_safetensors, state_of
from fleet_platform.files import PathPolicy
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import DataConfig, PipelineConfig, canonical_json, digest, parse_config
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.training.context import RunContext
from fleet_trainer.worker.messages import Finished
from fleet_trainer.worker.worker import Worker


def run_context(run: records.RunRecord, **parts: object) -> RunContext:
    """A context with only the parts that a test needs."""
    names = ("runs", "sessions", "artifacts", "plugins", "paths", "device", "settings")
    return RunContext(run=run, **(dict.fromkeys(names) | parts))


class WorkerHarness:
    """Executes requested runs, each in its own session, on the data of a folder."""

    def __init__(self, folder: Path, pipeline: PipelineConfig) -> None:
        self.sessions = MemorySessionStore(ttl_s=600.0)
        self.artifacts = MemoryArtifactStore()
        self.runs = MemoryRunStore()
        self.worker = Worker(
            sessions=self.sessions,
            artifacts=self.artifacts,
            plugins=PluginLoader(self.artifacts, allowed=False),
            runs=self.runs,
            paths=PathPolicy(
                working_dir=folder,
                configs_dir=folder / "configs",
                data_dir=folder,
                output_dir=folder / "outputs",
            ),
            device=torch.device("cpu"),
            settings=TrainerSettings(heartbeat_s=0.01, read_ahead=1),
        )
        config_json = canonical_json(pipeline)
        self.pipeline = records.Pipeline(config_json=config_json, config_digest=digest(config_json))

    def train_by(self, train: object) -> None:
        """Replace what trains the pipelines of the runs."""
        self.worker.train = train

    def create(
        self,
        trainer_type: pb.TrainerType.ValueType,
        data: DataConfig,
        training_config_json: bytes = b"",
        trainrun_config_json: bytes = b"",
        session_id: str = "",
    ) -> str:
        """Create a run, in a new session unless one is given; return its id."""
        run_id = str(uuid.uuid4())
        if not session_id:
            session_id = run_id
            self.sessions.create(
                records.SessionRecord(session_id=session_id, pipeline=self.pipeline)
            )
        self.runs.create(
            records.RunRecord(
                run_id=run_id,
                session_id=session_id,
                trainer_type=trainer_type,
                pipeline=self.sessions.read(session_id).pipeline,
                data_config_json=canonical_json(data),
                training_config_json=training_config_json,
                trainrun_config_json=trainrun_config_json,
            )
        )
        self.sessions.update(session_id, lambda record: setattr(record, "run_id", run_id))
        return run_id

    def execute(self, run_id: str) -> Finished:
        run = self.runs.claim(run_id, "worker")
        return self.worker.execute(Assignment(run_id, run.fencing_token))

    def run(self, run_id: str) -> records.RunRecord:
        return self.runs.read(run_id)

    def session(self, run_id: str) -> records.SessionRecord:
        return self.sessions.read(self.run(run_id).session_id)

    def published(self, run_id: str) -> records.Pipeline:
        return self.session(run_id).pipeline

    def messages(self, run_id: str) -> list[pb.TrainResponse]:
        entries = self.runs.tail(run_id, wait_s=0.01)
        return [pb.TrainResponse.FromString(entry.payload) for entry in entries]

    def texts(self, run_id: str) -> list[str]:
        return [message.message for message in self.messages(run_id)]

    def last(self, run_id: str) -> pb.TrainResponse:
        return self.messages(run_id)[-1]

    def state(self, run_id: str) -> dict[str, torch.Tensor]:
        published = self.published(run_id)
        pipeline = build_pipeline(parse_config(PipelineConfig, published.config_json, "pipeline"))
        from_safetensors(pipeline, self.artifacts.get(published.weights_digest))
        return {
            f"{name}.{key}": value
            for name, values in state_of(pipeline).items()
            for key, value in values.items()
        }
