"""A stack in which every part may be killed, and whose processes have different clocks.

What tests show on it therefore also holds for hosts whose clocks differ by hours.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from tests.support.network.faulty_proxy import FaultyProxy
from tests.support.polling import wait_until
from tests.support.processes import skewed_clock
from tests.support.processes.redis_server import RedisServer
from tests.support.stacks import stack_environment

SERVING_AGAIN_S = 300.0
"""For a part that imports torch on a busy machine."""

INFERENCE = ("inference-1", "inference-2", "inference-3")
TRAINERS = ("trainer-1", "trainer-2")


@dataclass(frozen=True)
class Fleet:
    """A stack and what its parts depend on.

    Attributes:
        stack: the parts.
        redis: the server behind `network`.
        network: the relay between the parts and Redis.
        artifact_dir: the artifact volume.
    """

    stack: BackgroundStack
    redis: RedisServer
    network: FaultyProxy
    artifact_dir: Path

    def wait_replaced(self, name: str, before: int) -> None:
        """Wait until another process runs the part `name`, and the whole fleet serves."""
        wait_until(
            lambda: self.stack.part(name)["pid"] not in {0, before},
            f"another {name} runs",
            SERVING_AGAIN_S,
        )
        self.wait_serving()

    def wait_serving(self) -> None:
        """Wait until the whole fleet serves."""
        wait_until(self.stack.is_serving, "the fleet serves", SERVING_AGAIN_S)


@contextmanager
def killable_fleet(folder: Path, data_dir: Path) -> Iterator[Fleet]:
    """Run three inference replicas, two trainers, and a Redis that tests may kill."""
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
            # Longer than a training waits for Redis with weights that no session names yet.
            "ARTIFACT_KEPT_S": "40",
            "TORCH_THREADS": "1",
        }
        environment = stack_environment(folder, data_dir, settings)
        with background_stack(free_ports(1)[0], folder / "run", environment) as stack:
            yield Fleet(stack, redis, network, artifact_dir)
