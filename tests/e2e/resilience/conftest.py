"""One stack in which every part may be killed, and every process has a clock of its own.

All that these tests prove they so prove for hosts whose clocks differ by hours, too.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from tests.support.network.faulty_proxy import FaultyProxy
from tests.support.polling import wait_until
from tests.support.processes import skewed_clock
from tests.support.processes.redis_server import RedisServer
from tests.support.scenes.lentils_scene import Scene
from tests.support.stacks import stack_environment
from tests.support.wire import Wire, wire

SERVING_AGAIN_S = 300.0
"""For a part that imports torch on a machine that is busy."""

INFERENCE = ("inference-1", "inference-2", "inference-3")
TRAINERS = ("trainer-1", "trainer-2")


@dataclass(frozen=True)
class Fleet:
    """A stack and what its parts stand on.

    Attributes:
        stack: the parts.
        redis: the server behind `network`.
        network: what lies between the parts and Redis.
        artifact_dir: volume of the artifacts.
    """

    stack: BackgroundStack
    redis: RedisServer
    network: FaultyProxy
    artifact_dir: Path

    def wait_replaced(self, name: str, before: int) -> None:
        """Wait until another process is the part `name`, and the whole fleet serves."""
        wait_until(
            lambda: self.stack.part(name)["pid"] not in {0, before},
            f"another {name} runs",
            SERVING_AGAIN_S,
        )
        self.wait_serving()

    def wait_serving(self) -> None:
        """Wait until the whole fleet serves."""
        wait_until(self.stack.is_serving, "the fleet serves", SERVING_AGAIN_S)


@dataclass(frozen=True)
class Trained:
    """A session that is ready for inference, and what to ask it."""

    session_id: str
    cube: np.ndarray
    wavelengths: np.ndarray


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Fleet]:
    """Three inference replicas, two trainers, and a Redis that tests may kill."""
    folder = tmp_path_factory.mktemp("fleet")
    artifact_dir = folder / "artifacts"
    paths = (str(skewed_clock.PYTHONPATH), os.environ.get("PYTHONPATH"))
    with (
        RedisServer(folder / "redis") as redis,
        FaultyProxy(redis.port) as network,
    ):
        settings = {
            "INFERENCE": str(len(INFERENCE)),
            "TRAINER": str(len(TRAINERS)),
            "REDIS_URL": network.url,
            "ARTIFACT_DIR": str(artifact_dir),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "HEARTBEAT_S": "0.5",
            "LOST_AFTER_S": "3",
            # Longer than a training waits for Redis with weights that nobody names yet.
            "ARTIFACT_KEPT_S": "40",
            "TORCH_THREADS": "1",
        }
        environment = stack_environment(folder, data_dir, settings)
        with background_stack(free_ports(1)[0], folder / "run", environment) as stack:
            yield Fleet(stack, redis, network, artifact_dir)


@pytest.fixture(autouse=True)
def _whole_fleet(fleet: Fleet) -> None:
    """Every test begins when the one before has healed."""
    fleet.wait_serving()


@pytest.fixture
def calls(fleet: Fleet) -> Iterator[Wire]:
    """Bare calls to the fleet."""
    with wire(fleet.stack.address) as client:
        yield client


@pytest.fixture
def trained(calls: Wire, scene: Scene) -> Trained:
    """A session with a trained pipeline."""
    session_id = calls.session()
    apply_trainrun(calls, session_id, [0, 2, 3])
    calls.train(session_id)
    return Trained(session_id, scene.cubes[5:6], scene.wavelengths_nm[None])


def apply_trainrun(calls: Wire, session_id: str, train_ids: list[int]) -> None:
    """Give a session the shipped trainrun on the scene."""
    overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
    trainrun = json.loads(
        calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", overrides)
    )
    trainrun["data"]["train_ids"] = train_ids
    calls.apply(session_id, json.dumps(trainrun).encode())
