"""The processes beside this one of a run that trains in several (distributed data parallel)."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import torch

from fleet_engine.training import WorkerGroup, process_count
from fleet_platform.errors import AppError, DependencyDown, InvalidInput
from fleet_platform.telemetry import current_traceparent, logger
from fleet_schemas import TrainingConfig
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.failure import error_told

_log = logger("fleet.trainer")

READY = "ready"
"""What a rank says when it is about to join the group."""

_READY_WAIT_S = 180.0
_END_WAIT_S = 10.0
_LOOPBACK = "127.0.0.1"


class Ranks:
    """Starts, for one run, as many rank processes as its settings ask for.

    Each reads the run from the stores, as its owner does, and ends when its pipe is closed, so that
    none outlives its owner.
    """

    def __init__(self, settings_json: str, assignment: Assignment) -> None:
        self._settings_json = settings_json
        self._assignment = assignment

    @contextmanager
    def joined(
        self, training: TrainingConfig, device: torch.device
    ) -> Iterator[WorkerGroup | None]:
        """Be rank 0 of a group while the context lasts; None where one process trains alone.

        Args:
            training: its `devices` and `num_nodes` count.
            device: where this process trains.

        Raises:
            InvalidInput: they ask for more than this host has.
            AppError: what another rank failed with, where that broke the group.
        """
        world_size = _world_size(training, device)
        if world_size == 1:
            yield None
            return
        port = _free_port()
        groups = [
            WorkerGroup(rank, world_size, rank, 0, _LOOPBACK, port) for rank in range(world_size)
        ]
        processes = [self._start(group) for group in groups[1:]]
        _log.info("ranks.started", run_id=self._assignment.run_id, world_size=world_size)
        try:
            for process in processes:
                _await_ready(process)
            with groups[0].joined(device):
                yield groups[0]
        except AppError:
            raise
        except Exception as error:
            told = next(filter(None, map(_failure_of, processes)), None)
            if told is None:
                raise
            raise told from error
        finally:
            for process in processes:
                _end(process)

    def _start(self, group: WorkerGroup) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet_trainer.worker.rank"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        request = {
            "settings": self._settings_json,
            "assignment": self._assignment.to_line(),
            "group": asdict(group),
            "traceparent": current_traceparent(),
        }
        if process.stdin is not None:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        return process


def _world_size(training: TrainingConfig, device: torch.device) -> int:
    """Processes that the settings ask for, as far as this host has room."""
    if training.num_nodes not in {None, 1}:
        raise InvalidInput(
            f"training.num_nodes is {training.num_nodes}, but a run of this server trains on one "
            "host; leave it out and set training.devices."
        )
    count = process_count(training)
    on_gpu = device.type == "cuda"
    most = torch.cuda.device_count() if on_gpu else os.cpu_count() or 1
    if count > most:
        has = f"{most} GPUs" if on_gpu else f"{most} CPU cores"
        raise InvalidInput(f"training.devices is {training.devices}, but this server has {has}.")
    return count


def _await_ready(process: "subprocess.Popen[str]") -> None:
    """Wait until a rank has opened the run; one that fails instead says why."""
    late = threading.Timer(_READY_WAIT_S, process.kill)
    late.start()
    try:
        said = process.stdout.readline().strip() if process.stdout is not None else ""
    finally:
        late.cancel()
    if said == READY:
        return
    if said:
        told = json.loads(said)
        raise error_told(told["reason"], told["text"])
    raise DependencyDown(
        "A process that was to train together with others ended before it began. Call Train again."
    )


def _failure_of(process: "subprocess.Popen[str]") -> AppError | None:
    """What a rank said when it failed; None: it did not, or had no word left."""
    try:
        code = process.wait(_END_WAIT_S)
    except subprocess.TimeoutExpired:
        return None
    if code == 0 or process.stdout is None:
        return None
    last = process.stdout.read().strip().rpartition("\n")[2]
    if not last:
        return None
    told = json.loads(last)
    return error_told(told["reason"], told["text"])


def _end(process: "subprocess.Popen[str]") -> None:
    """Close the pipe and wait; a rank that does not end by itself is killed."""
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()
    try:
        process.wait(_END_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
