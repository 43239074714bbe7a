"""Time the published trainruns: ``python -m bench.training``, which takes some minutes.

It starts its own stack. If ``PEER_PYTHON`` names the interpreter of an environment with the
published packages, their server trains the same trainruns on the same files, alternately.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.published_server import published_server
from bench.report import print_trainings, save
from bench.scene import write_session
from bench.session_calls import Stub, apply_trainrun, close_session, open_session
from bench.training_result import TrainingResult
from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from tests.support.sdk_stub import cu3s

TRAINRUNS = ("rx_statistical", "channel_selector", "deep_svdd")
OURS, PUBLISHED = "this stack", "published"
_MEASUREMENTS = 8
_WARM_UP_S = 6.0
"""A server that has just started is still importing modules during its first training runs."""

_SHORT_ROUNDS = 5
"""Statistical training runs take a fraction of a second and are timed this many times as often."""


@dataclass(frozen=True)
class Training:
    """A trainrun and one kind of training.

    Attributes:
        name: name of the trainrun.
        trainrun_json: the whole trainrun.
        gradient: gradient training, after an untimed statistical fit.
    """

    name: str
    trainrun_json: bytes
    gradient: bool

    @property
    def title(self) -> str:
        """The name in the table."""
        return f"{self.name}, {'gradient' if self.gradient else 'statistical'}"

    @property
    def epochs(self) -> int:
        """Requested epochs; a statistical training counts as one."""
        training = json.loads(self.trainrun_json)["training"]
        return int(training["trainer"]["max_epochs"]) if self.gradient else 1

    @property
    def samples(self) -> int:
        """The measurements of the training split."""
        return len(json.loads(self.trainrun_json)["data"]["train_ids"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.training")
    peer = os.environ.get("PEER_PYTHON")
    parser.add_argument("--peer-python", type=Path, default=Path(peer) if peer else None)
    parser.add_argument("--results", type=Path, default=Path("bench/results"))
    parser.add_argument("--trainruns", nargs="*", choices=TRAINRUNS, default=TRAINRUNS)
    parser.add_argument("--side", type=int, default=128, help="pixels along a cube's edge")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds of gradient training")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch threads")
    parser.add_argument("--gpu", action="store_true", help="let both use a GPU if there is one")
    return parser.parse_args()


def main() -> None:
    """Measure, print and save."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        write_session(folder / "scene.cu3s", arguments.side, _MEASUREMENTS)
        servers = {OURS: stack.enter_context(_our_stack(folder, arguments))}
        if arguments.peer_python:
            servers[PUBLISHED] = stack.enter_context(_published(folder, arguments))
        results: list[TrainingResult] = []
        for name in arguments.trainruns:
            for training in _trainings(servers[OURS], name, folder, arguments.epochs):
                results += _compare(servers, training, arguments.rounds)
    print(
        f"{_MEASUREMENTS} measurements of {arguments.side} x {arguments.side} x 61, "
        f"{arguments.threads} torch threads"
    )
    print_trainings(results)
    print(f"saved as {save(results, arguments.results)}")


@contextmanager
def _our_stack(folder: Path, arguments: argparse.Namespace) -> Iterator[Stub]:
    environment = _environment(arguments) | {
        "DATA_DIR": str(folder),
        "OUTPUT_DIR": str(folder / "ours"),
        "TORCH_THREADS": str(arguments.threads),
        "INFERENCE": "1",
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(cu3s.PYTHONPATH), os.environ.get("PYTHONPATH")))
        ),
    }
    with (
        background_stack(free_ports(1)[0], folder / "run", environment) as running,
        connect(running.address) as channel,
    ):
        yield CuvisAIServiceStub(channel)


@contextmanager
def _published(folder: Path, arguments: argparse.Namespace) -> Iterator[Stub]:
    environment = _environment(arguments) | {"OMP_NUM_THREADS": str(arguments.threads)}
    with published_server(arguments.peer_python, folder, environment) as channel:
        yield CuvisAIServiceStub(channel)


def _environment(arguments: argparse.Namespace) -> dict[str, str]:
    return {} if arguments.gpu else {"CUDA_VISIBLE_DEVICES": ""}


def _trainings(stub: Stub, name: str, folder: Path, epochs: int) -> Iterator[Training]:
    """Return the training runs of a shipped trainrun on the scene."""
    session_id = open_session(stub)
    reply = stub.ResolveConfig(
        pb.ResolveConfigRequest(
            session_id=session_id,
            config_type="trainrun",
            path=f"trainrun/{name}",
            overrides=[
                f"data.cu3s_file_path={folder / 'scene.cu3s'}",
                f"data.annotation_json_path={folder / 'scene.json'}",
                f"training.trainer.max_epochs={epochs}",
            ],
        )
    )
    close_session(stub, session_id)
    yield Training(name, bytes(reply.config_bytes), gradient=False)
    if json.loads(reply.config_bytes)["loss_nodes"]:
        yield Training(name, bytes(reply.config_bytes), gradient=True)


def _compare(servers: dict[str, Stub], training: Training, rounds: int) -> Sequence[TrainingResult]:
    """Time all servers alternately, each after an untimed warm-up."""
    for stub in servers.values():
        spent_s = 0.0
        while spent_s < _WARM_UP_S:
            spent_s += _train(stub, training)
    taken: dict[str, list[float]] = {label: [] for label in servers}
    for _ in range(rounds * (1 if training.gradient else _SHORT_ROUNDS)):
        for label, stub in servers.items():
            taken[label].append(_train(stub, training))
    results = {label: _result(label, training, seconds) for label, seconds in taken.items()}
    if PUBLISHED not in results:
        return list(results.values())
    ratio = results[PUBLISHED].seconds / results[OURS].seconds
    return [replace(results[OURS], ratio=ratio), results[PUBLISHED]]


def _result(label: str, training: Training, taken: Sequence[float]) -> TrainingResult:
    seconds = statistics.median(taken)
    return TrainingResult(
        training=training.title,
        server=label,
        rounds=len(taken),
        epochs=training.epochs,
        seconds=seconds,
        seconds_per_epoch=seconds / training.epochs,
        samples_per_second=training.samples * training.epochs / seconds,
    )


def _train(stub: Stub, training: Training) -> float:
    """Train in a new session; return the seconds from the call to its end."""
    session_id = open_session(stub)
    apply_trainrun(stub, session_id, training.trainrun_json)
    seconds = _call(stub, session_id, pb.TRAINER_TYPE_STATISTICAL)
    if training.gradient:
        seconds = _call(stub, session_id, pb.TRAINER_TYPE_GRADIENT)
    close_session(stub, session_id)
    return seconds


def _call(stub: Stub, session_id: str, trainer_type: pb.TrainerType.ValueType) -> float:
    request = pb.TrainRequest(session_id=session_id, trainer_type=trainer_type)
    start = time.perf_counter()
    statuses = [message.status for message in stub.Train(request)]
    seconds = time.perf_counter() - start
    if pb.TRAIN_STATUS_COMPLETE not in statuses:
        raise RuntimeError("the Train stream ended without COMPLETE")
    return seconds


if __name__ == "__main__":
    main()
