from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_trainer.settings import TrainerSettings
from tests.support.processes.redis_server import RedisServer
from tests.support.scenes.gradient_scene import write_scene as write_labelled_scene
from tests.support.scenes.rx_scene import write_scene


@pytest.fixture(scope="package")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trainers")
    (folder / "data").mkdir()
    write_scene(folder / "data" / "scene.npz")
    write_scene(folder / "data" / "long.npz", frames=80, size=32)
    write_labelled_scene(folder / "data" / "labelled.npz")
    return folder


@pytest.fixture(scope="package")
def stores(redis_server: RedisServer, folder: Path) -> TrainerSettings:
    """Settings with which a test opens the same stores."""
    return TrainerSettings(redis_url=redis_server.url, artifact_dir=folder / "artifacts")
