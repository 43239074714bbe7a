from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from fleet_platform.rpc import connect, start_service
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from fleet_trainer.assembly import Trainer, build_trainer
from fleet_trainer.settings import TrainerSettings
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer
from tests.support.scenes.gradient_scene import write_scene as write_labelled_scene
from tests.support.scenes.rx_scene import write_scene
from tests.support.training_client import TrainingClient

READY_WITHIN_S = 300.0


@pytest.fixture(scope="package")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trainer")
    (folder / "data").mkdir()
    write_scene(folder / "data" / "scene.npz")
    write_scene(folder / "data" / "long.npz", frames=80, size=32)
    write_scene(folder / "data" / "narrow.npz", bands=5)
    write_labelled_scene(folder / "data" / "labelled.npz")
    (folder / "data" / "broken.npz").write_bytes(b"not a file of arrays")
    return folder


@pytest.fixture(scope="package")
def settings(redis_server: RedisServer, folder: Path) -> TrainerSettings:
    return TrainerSettings(
        redis_url=redis_server.url,
        artifact_dir=folder / "artifacts",
        cuvis_configs_dir=folder / "configs",
        data_dir=folder / "data",
        output_dir=folder / "outputs",
        device="cpu",
        torch_threads=1,
        train_queue=1,
        heartbeat_s=0.5,
        lost_after_s=3.0,
        health_interval_s=0.1,
        stop_grace_s=0.5,
    )


@pytest.fixture(scope="package")
def trainer(settings: TrainerSettings) -> Trainer:
    return build_trainer(settings)


@pytest.fixture(scope="package")
def channel(trainer: Trainer, settings: TrainerSettings) -> Iterator[grpc.Channel]:
    with start_service(trainer.service, settings) as running:
        wait_until(lambda: running.health.serving, "SERVING", READY_WITHIN_S)
        with connect(running.address) as channel:
            yield channel


@pytest.fixture
def client(channel: grpc.Channel, settings: TrainerSettings) -> TrainingClient:
    return TrainingClient(cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel), settings)
