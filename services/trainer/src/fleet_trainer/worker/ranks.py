"""The other processes of a run that trains in several (distributed data parallel)."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

import torch

from fleet_engine.training import WorkerGroup, process_count
from fleet_platform.errors import AppError, DependencyDown, InvalidInput
from fleet_platform.ports import free_ports
from fleet_platform.telemetry import current_traceparent, logger
from fleet_schemas import TrainingConfig
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.training.context import RunContext
from fleet_trainer.worker import rank
from fleet_trainer.worker.messages import RankFailed, RankReady, RankRequest, received

_log = logger("fleet.trainer")

_READY_WAIT_S = 180.0
_EXIT_WAIT_S = 10.0


class _Rank(NamedTuple):
    process: SpawnProcess
    connection: Connection


class Ranks:
    """Starts as many processes for a run as its settings ask for.

    Each reads the run from the stores, as its owner does, and exits when its connection closes, so
    that none outlives its owner.
    """

    def __init__(self, context: RunContext) -> None:
        self._settings = context.settings
        self._assignment = Assignment(context.run.run_id, context.run.fencing_token)

    @contextmanager
    def joined(
        self, training: TrainingConfig, device: torch.device
    ) -> Iterator[WorkerGroup | None]:
        """Be rank 0 of a group inside the context; yields None if one process trains alone.

        Args:
            training: Its `devices` and `num_nodes` determine the number of processes.
            device: Where this process trains.

        Raises:
            InvalidInput: the settings ask for more than this host has.
            AppError: the failure of another rank that broke the group.
        """
        world_size = _world_size(training, device)
        if world_size == 1:
            yield None
            return
        (port,) = free_ports(1)
        group = rank.local_group(0, world_size, port)
        others = [self._start(number, world_size, port) for number in range(1, world_size)]
        _log.info("ranks.started", run_id=self._assignment.run_id, world_size=world_size)
        try:
            for other in others:
                _await_ready(other)
            with group.joined(device):
                yield group
        except AppError:
            raise
        except Exception as error:
            cause = next(filter(None, map(_failure_of, others)), None)
            if cause is None:
                raise
            raise cause from error
        finally:
            for other in others:
                _end(other)

    def _start(self, number: int, world_size: int, port: int) -> _Rank:
        request = RankRequest(self._assignment, number, world_size, port, current_traceparent())
        context = multiprocessing.get_context("spawn")
        connection, other_end = context.Pipe()
        process = context.Process(
            target=rank.train_as_rank, args=(self._settings, request, other_end), name="rank"
        )
        process.start()
        other_end.close()
        return _Rank(process, connection)


def _world_size(training: TrainingConfig, device: torch.device) -> int:
    """Return the number of processes that the settings ask for, if this host has that many."""
    if training.num_nodes not in {None, 1}:
        raise InvalidInput(
            f"training.num_nodes is {training.num_nodes}, but a run of this server trains on one "
            "host; leave it out and set training.devices."
        )
    count = process_count(training)
    on_gpu = device.type == "cuda"
    available = torch.cuda.device_count() if on_gpu else os.cpu_count() or 1
    if count > available:
        has = f"{available} GPUs" if on_gpu else f"{available} CPU cores"
        raise InvalidInput(f"training.devices is {training.devices}, but this server has {has}.")
    return count


def _await_ready(other: _Rank) -> None:
    """Wait until a rank has opened the run; raise its error if it fails instead."""
    late = threading.Timer(_READY_WAIT_S, other.process.kill)
    late.start()
    try:
        message = next(received(other.connection), None)
    finally:
        late.cancel()
    match message:
        case RankReady():
            return
        case RankFailed():
            raise message.error
    raise DependencyDown(
        "A process that was to train together with others ended before it started. Call Train "
        "again."
    )


def _failure_of(other: _Rank) -> AppError | None:
    """Return the error with which a rank failed; None if it did not fail or reported nothing."""
    other.process.join(_EXIT_WAIT_S)
    if not other.process.exitcode:
        return None
    failures = [each for each in received(other.connection) if isinstance(each, RankFailed)]
    return failures[-1].error if failures else None


def _end(other: _Rank) -> None:
    """Close the connection and wait; a rank that does not exit is killed."""
    other.connection.close()
    other.process.join(_EXIT_WAIT_S)
    if other.process.exitcode is None:
        other.process.kill()
        other.process.join()
