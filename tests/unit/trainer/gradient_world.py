"""Gradient runs worked on in this process, on stores in memory."""

import json
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
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.worker.run_worker import RunWorker
from tests.support.scenes.gradient_scene import (
    TEST,
    TRAIN,
    VAL,
    pipeline_config,
    training,
    write_scene,
)

LISTS = {
    "loss_nodes": ["bce"],
    "metric_nodes": ["metrics_anomaly"],
    "unfreeze_nodes": ["RXGlobal", "ScoreToLogit"],
}


def trainrun_json(**changes: object) -> bytes:
    return json.dumps(
        {"name": "run", "data": {"cu3s_file_path": "scene.npz"}} | LISTS | changes
    ).encode()


class GradientWorld:
    def __init__(self, folder: Path) -> None:
        write_scene(folder / "scene.npz")
        self.sessions = MemorySessionStore(ttl_s=600.0)
        self.artifacts = MemoryArtifactStore()
        self.runs = MemoryRunStore()
        self.worker = RunWorker(
            sessions=self.sessions,
            artifacts=self.artifacts,
            plugins=PluginLoader(self.artifacts, allowed=False),
            runs=self.runs,
            policy=PathPolicy(
                working_dir=folder,
                configs_dir=folder / "configs",
                data_dir=folder,
                output_dir=folder / "outputs",
            ),
            device=torch.device("cpu"),
            heartbeat_s=0.01,
            read_ahead=1,
            settings_json="{}",
        )
        config_json = canonical_json(pipeline_config())
        self.pipeline = records.Pipeline(config_json=config_json, config_digest=digest(config_json))

    def request(self, kind=pb.TRAINER_TYPE_GRADIENT, *, data=None, lists=None, **changes) -> str:
        """A run in a session of its own."""
        fields = {"train_ids": TRAIN, "val_ids": VAL, "test_ids": TEST} | (data or {})
        session_id = run_id = str(uuid.uuid4())
        self.sessions.create(
            records.SessionRecord(session_id=session_id, pipeline=self.pipeline, run_id=run_id)
        )
        self.runs.create(
            records.RunRecord(
                run_id=run_id,
                session_id=session_id,
                trainer_type=kind,
                pipeline=self.pipeline,
                data_config_json=canonical_json(
                    DataConfig(**({"cu3s_file_path": "scene.npz", "batch_size": 2} | fields))
                ),
                training_config_json=canonical_json(training(**changes)),
                trainrun_config_json=trainrun_json(**(lists or {})),
            )
        )
        return run_id

    def execute(self, run_id: str) -> ChildReply:
        run = self.runs.claim(run_id, "child")
        return self.worker.execute(Assignment(run_id, run.fencing_token))

    def run(self, run_id: str) -> records.RunRecord:
        return self.runs.read(run_id)

    def published(self, run_id: str) -> records.Pipeline:
        return self.sessions.read(run_id).pipeline

    def messages(self, run_id: str) -> list[pb.TrainResponse]:
        entries = self.runs.tail(run_id, wait_s=0.01)
        return [pb.TrainResponse.FromString(entry.payload) for entry in entries]

    def texts(self, run_id: str) -> list[str]:
        return [message.message for message in self.messages(run_id)]

    def state(self, run_id: str) -> dict[str, torch.Tensor]:
        published = self.published(run_id)
        pipeline = build_pipeline(parse_config(PipelineConfig, published.config_json, "pipeline"))
        from_safetensors(pipeline, self.artifacts.get(published.weights_digest))
        return {
            f"{name}.{key}": value
            for name, values in state_of(pipeline).items()
            for key, value in values.items()
        }
