"""The lag of health behind Redis: ``python -m bench.redis_outage``.

Starts its own stack, kills Redis (kill -9) several times during a training and starts it again.
Prints the seconds from the kill until the gateway is NOT_SERVING, and from the first answer of
Redis until it is SERVING again.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from bench.scene import write_training_data
from bench.session_calls import Stub, apply_trainrun, open_session, resolve
from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer

_DATA = "outage.npz"
_PASSES = 20_000
_MAX_S = 60.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.redis_outage")
    parser.add_argument("--outages", type=int, default=5)
    parser.add_argument("--down", type=float, default=2.0, help="seconds for which Redis is down")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    table = Table(title="health at the gateway after Redis was killed, and after it answers again")
    for heading in ("outage", "red after s", "green after s"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        for number, seconds in enumerate(_outages(Path(scratch), arguments), start=1):
            table.add_row(str(number), *(f"{each:.2f}" for each in seconds))
    Console(width=100).print(table)


def _outages(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[float, float]]:
    write_training_data(folder / _DATA, side=64, measurements=2)
    with RedisServer(folder / "redis") as redis:
        environment = {
            "REDIS_URL": redis.url,
            "DATA_DIR": str(folder),
            "OUTPUT_DIR": str(folder / "outputs"),
        }
        with (
            background_stack(free_ports(1)[0], folder / "run", environment) as stack,
            connect(stack.address) as channel,
        ):
            _train_on(CuvisAIServiceStub(channel))
            for _ in range(arguments.outages):
                yield _outage(stack, redis, arguments.down)


def _train_on(stub: Stub) -> None:
    """Start a training that outlasts all outages."""
    session_id = open_session(stub)
    trainrun = json.loads(resolve(stub, session_id, _DATA, [0, 1])())
    trainrun["data"]["train_ids"] *= _PASSES
    apply_trainrun(stub, session_id, json.dumps(trainrun).encode())
    request = pb.TrainRequest(session_id=session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL)
    started = threading.Event()

    def follow() -> None:
        with suppress(grpc.RpcError):  # Redis has been killed; the training continues
            for _ in stub.Train(request):
                started.set()

    threading.Thread(target=follow, daemon=True).start()
    if not started.wait(_MAX_S):
        raise RuntimeError("the training did not start")


def _outage(stack: BackgroundStack, redis: RedisServer, down_s: float) -> tuple[float, float]:
    redis.kill()
    red_s = wait_until(lambda: not stack.is_serving(), "health is red", _MAX_S)
    time.sleep(down_s)
    redis.start()
    green_s = wait_until(stack.is_serving, "health is green", _MAX_S)
    time.sleep(down_s)
    return red_s, green_s


if __name__ == "__main__":
    main()
