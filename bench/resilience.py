"""The cost of killed replicas to clients: ``python -m bench.resilience``.

Starts its own stack with three inference replicas. For each cube size it kills one replica after
the other while eight clients call, then replaces all of them in an orderly way. Prints the calls
that failed and the times of those that succeeded.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.inference_calls import tensor_of
from bench.result import percentile
from bench.scene import cube, wavelengths_nm, write_training_data
from bench.session_calls import Stub, apply_trainrun, open_session, resolve, train
from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from tests.support.processes.replica_killer import ReplicaKiller
from tests.support.processes.steady_load import SteadyLoad

_REPLICAS = 3
_NAMES = [f"inference-{number}" for number in range(1, _REPLICAS + 1)]
_SIDES = {"100 kB": 29, "8 MB": 256}
_TRAINING_IDS = [0, 1, 2]


@dataclass(frozen=True)
class Outcome:
    """The results of the clients while replicas were killed or replaced."""

    happened: str
    size: str
    load: SteadyLoad


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.resilience")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="seconds of kills for each size"
    )
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two kills")
    return parser.parse_args()


def main() -> None:
    """Measure and print; return 1 if a call failed."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, _stack(Path(scratch)) as running:
        stack, stub = running
        outcomes = list(_outcomes(stack, stub, arguments))
    _print(outcomes)
    if any(outcome.load.failures or outcome.load.wrong for outcome in outcomes):
        raise SystemExit(1)


@contextmanager
def _stack(folder: Path) -> Iterator[tuple[BackgroundStack, Stub]]:
    environment = {
        "DATA_DIR": str(folder),
        "OUTPUT_DIR": str(folder / "outputs"),
        "INFERENCE": str(_REPLICAS),
    }
    write_training_data(folder / "three.npz", side=64, measurements=len(_TRAINING_IDS))
    with (
        background_stack(free_ports(1)[0], folder / "run", environment) as stack,
        connect(stack.address) as channel,
    ):
        yield stack, CuvisAIServiceStub(channel)


def _outcomes(
    stack: BackgroundStack, stub: Stub, arguments: argparse.Namespace
) -> Iterator[Outcome]:
    session_id = open_session(stub)
    apply_trainrun(stub, session_id, resolve(stub, session_id, "three.npz", _TRAINING_IDS)())
    train(stub, session_id)
    killer = ReplicaKiller(stack, "inference", _NAMES)
    for size, side in _SIDES.items():
        with SteadyLoad(_inference(stub, session_id, side), arguments.clients) as load:
            kills = killer.kill_every(arguments.every, arguments.seconds)
        yield Outcome(f"{kills} killed", size, load)
        with SteadyLoad(_inference(stub, session_id, side), arguments.clients) as load:
            killer.replace_all()
        yield Outcome("all replaced", size, load)


def _inference(stub: Stub, session_id: str, side: int) -> Callable[[], None]:
    """Return a call whose response must be the same every time."""
    request = pb.InferenceRequest(
        session_id=session_id,
        inputs=pb.InputBatch(
            cube=tensor_of(cube(side), pb.D_TYPE_UINT16),
            wavelengths=tensor_of(wavelengths_nm()[None], pb.D_TYPE_INT32),
        ),
    )
    expected = stub.Inference(request, timeout=60.0)

    def call() -> None:
        if stub.Inference(request, timeout=60.0) != expected:
            raise AssertionError("the response differs from the previous one")

    return call


def _print(outcomes: list[Outcome]) -> None:
    table = Table(title="inference through the gateway while replicas die")
    for heading in ("cube", "replicas"):
        table.add_column(heading, no_wrap=True)
    for heading in ("answered", "failed", "wrong", "p50 ms", "p99 ms", "max ms"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        load = outcome.load
        times = [f"{percentile(load.seconds, each) * 1e3:.0f}" for each in (50, 99, 100)]
        counts = [str(len(each)) for each in (load.seconds, load.failures, load.wrong)]
        table.add_row(outcome.size, outcome.happened, *counts, *times)
    Console(width=120).print(table)
    failures = Counter(each for outcome in outcomes for each in outcome.load.failures)
    for failure, count in failures.most_common():
        print(f"{count} x {failure}")


if __name__ == "__main__":
    main()
