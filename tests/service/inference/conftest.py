"""A real inference service with in-memory stores, and a fitted pipeline for it."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import torch

from fleet_engine import Pipeline, build_pipeline
from fleet_engine.training import fit_statistics
from fleet_engine.weights import state_of, to_safetensors, write_published
from fleet_inference.assembly import build_service
from fleet_inference.settings import InferenceSettings
from fleet_platform.rpc import connect, start_service
from fleet_platform.testing import (
    MemoryArtifactStore,
    MemoryProfilingStore,
    MemoryRunStore,
    MemorySessionStore,
)
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import PipelineConfig

CHANNELS = 7
WAVELENGTHS_NM = np.linspace(430, 910, CHANNELS).astype(np.int32)


def rx_config(**metadata: str) -> dict[str, Any]:
    """The statistical pipeline under short node names."""
    return {
        "metadata": {"name": "RX", **metadata},
        "nodes": [
            {
                "name": "data",
                "class_name": "cuvis_ai.node.data.LentilsAnomalyDataNode",
                "hparams": {"normal_class_ids": [0]},
            },
            {
                "name": "normalizer",
                "class_name": "cuvis_ai.node.normalization.MinMaxNormalizer",
                "hparams": {},
            },
            {
                "name": "detector",
                "class_name": "cuvis_ai.anomaly.rx_detector.RXGlobal",
                "hparams": {"num_channels": CHANNELS},
            },
            {
                "name": "logit",
                "class_name": "cuvis_ai.node.conversion.ScoreToLogit",
                "hparams": {},
            },
            {
                "name": "decider",
                "class_name": "cuvis_ai.deciders.binary_decider.BinaryDecider",
                "hparams": {"threshold": 0.5},
            },
        ],
        "connections": [
            {"source": source, "target": target}
            for source, target in (
                ("data.outputs.cube", "normalizer.inputs.data"),
                ("normalizer.outputs.normalized", "detector.inputs.data"),
                ("detector.outputs.scores", "logit.inputs.scores"),
                ("logit.outputs.logits", "decider.inputs.logits"),
            )
        ],
    }


def cube(side: int = 8, seed: int = 0) -> np.ndarray:
    """A measurement, uint16 [1, side, side, C]."""
    random = np.random.default_rng(seed)
    return random.integers(0, 4000, (1, side, side, CHANNELS)).astype(np.uint16)


@dataclass(frozen=True)
class Fitted:
    """Weights of the fitted pipeline in each form."""

    published: bytes
    safetensors: bytes
    checkpoint: bytes


@pytest.fixture(scope="session")
def fitted() -> Fitted:
    pipeline = build_pipeline(PipelineConfig.model_validate(rx_config()))
    batch = {
        "cube": torch.from_numpy(cube(32, seed=1)),
        "wavelengths": torch.from_numpy(WAVELENGTHS_NM)[None],
    }
    fit_statistics(pipeline, lambda: iter([batch]), lambda _event: None, lambda: False)
    checkpoint = io.BytesIO()
    torch.save({"epoch": 1, "state_dict": _by_number(pipeline)}, checkpoint)
    return Fitted(write_published(pipeline, {}), to_safetensors(pipeline), checkpoint.getvalue())


def _by_number(pipeline: Pipeline) -> dict[str, torch.Tensor]:
    """The state dict as the published trainer's checkpoints have it."""
    return {
        f"pipeline_modules.{number}.{key}": value
        for number, values in enumerate(state_of(pipeline).values())
        for key, value in values.items()
    }


def tensor(array: np.ndarray, dtype: "pb.DType.ValueType") -> pb.Tensor:
    return pb.Tensor(shape=array.shape, dtype=dtype, raw_data=array.tobytes())


def batch(cube_BHWC: np.ndarray | None = None) -> pb.InputBatch:
    """The inputs that the pipeline reads."""
    return pb.InputBatch(
        cube=tensor(cube() if cube_BHWC is None else cube_BHWC, pb.D_TYPE_UINT16),
        wavelengths=tensor(WAVELENGTHS_NM[None], pb.D_TYPE_INT32),
    )


def to_numpy(message: pb.Tensor) -> np.ndarray:
    dtypes = {pb.D_TYPE_FLOAT32: "<f4", pb.D_TYPE_BOOL: "?", pb.D_TYPE_INT32: "<i4"}
    return np.frombuffer(message.raw_data, dtypes[message.dtype]).reshape(message.shape)


@dataclass(frozen=True)
class Served:
    """A running service and all that it stands on."""

    channel: grpc.Channel
    stub: CuvisAIServiceStub
    sessions: MemorySessionStore
    runs: MemoryRunStore
    artifacts: MemoryArtifactStore
    timings: MemoryProfilingStore
    output_dir: Path
    data_dir: Path

    def session(self, session_id: str = "one") -> str:
        self.sessions.create(SessionRecord(format_version=1, session_id=session_id))
        return session_id

    def load(self, session_id: str, config: object) -> pb.LoadPipelineResponse:
        content = config if isinstance(config, bytes) else json.dumps(config).encode()
        return self.stub.LoadPipeline(
            pb.LoadPipelineRequest(
                session_id=session_id, pipeline=pb.PipelineConfig(config_bytes=content)
            )
        )

    def infer(
        self, session_id: str, inputs: pb.InputBatch | None = None, *wanted: str
    ) -> pb.InferenceResponse:
        return self.stub.Inference(
            pb.InferenceRequest(
                session_id=session_id, inputs=inputs or batch(), output_specs=wanted
            )
        )

    def ready(self, fitted: Fitted, session_id: str = "one") -> str:
        """A session that can infer."""
        self.load(self.session(session_id), rx_config())
        self.stub.LoadPipelineWeights(
            pb.LoadPipelineWeightsRequest(session_id=session_id, weights_bytes=fitted.published)
        )
        return session_id


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Settings of its own come by indirect parametrisation."""
    folders = {name: tmp_path / name for name in ("configs", "data", "outputs", "artifacts")}
    for folder in folders.values():
        folder.mkdir()
    settings = InferenceSettings(
        cuvis_configs_dir=folders["configs"],
        data_dir=folders["data"],
        output_dir=folders["outputs"],
        artifact_dir=folders["artifacts"],
        device="cpu",
        health_interval_s=0.05,
        **getattr(request, "param", {}),
    )
    sessions, runs, artifacts = MemorySessionStore(3600.0), MemoryRunStore(), MemoryArtifactStore()
    timings = MemoryProfilingStore(3600.0)
    service = build_service(
        settings, sessions=sessions, runs=runs, artifacts=artifacts, timings=timings
    )
    with start_service(service, settings) as running, connect(running.address) as channel:
        yield Served(
            channel=channel,
            stub=CuvisAIServiceStub(channel),
            sessions=sessions,
            runs=runs,
            artifacts=artifacts,
            timings=timings,
            output_dir=folders["outputs"],
            data_dir=folders["data"],
        )


Refused = Callable[..., None]


@pytest.fixture
def refused() -> Refused:
    """``refused(call, code, *texts)``: the call ends with `code`, its details hold the texts."""

    def check(call: Callable[[], object], code: grpc.StatusCode, *texts: str) -> None:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        details = caught.value.details()
        assert caught.value.code() is code, details
        for text in texts:
            assert text in details

    return check
