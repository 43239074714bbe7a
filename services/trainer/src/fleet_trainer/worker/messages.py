"""The messages between the trainer, its workers and their ranks, sent over connections.

A worker receives one `Assignment` after another and finally `Retire`. It sends `Ready` once,
`Finished` after each run, and `MetricsReport` in between. A rank sends `RankReady` and, if it
fails, `RankFailed`. A closed connection means that the other process has ended.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from fleet_platform.errors import AppError
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.runs.outcomes import restored_error


@dataclass(frozen=True, slots=True)
class Retire:
    """The worker must exit once it is idle."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Torch is imported and the stores are open: a run starts at once."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is settled.

    Attributes:
        is_spent: Whether the worker must be replaced; otherwise it can execute another run.
    """

    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class MetricsReport:
    """Everything that the worker has counted since it started.

    Attributes:
        report: As `fleet_platform.telemetry.reported_counts` writes it.
    """

    report: str


WorkerMessage = Ready | Finished | MetricsReport


@dataclass(frozen=True, slots=True)
class RankRequest:
    """The training in which a rank takes part.

    Attributes:
        assignment: The run, as claimed by its owner.
        rank: Number of the process in the group; the owner has number 0.
        world_size: Number of processes in the group.
        port: Port on this host at which the owner awaits the others.
        traceparent: The span of the run.
    """

    assignment: Assignment
    rank: int
    world_size: int
    port: int
    traceparent: str


@dataclass(frozen=True, slots=True)
class RankReady:
    """The run is open and the rank is about to join the group."""


@dataclass(frozen=True, slots=True)
class RankFailed:
    """The rank has failed.

    Attributes:
        reason: Name of the error's reason.
        text: Text of the error.
    """

    reason: str
    text: str

    @property
    def error(self) -> AppError:
        """The error, as the rank raised it."""
        return restored_error(self.reason, self.text)


class Sender:
    """Sends messages over a connection from any thread; drops them if the receiver has ended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: object) -> None:
        """Send a message, which may be any object that can be pickled."""
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(message)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def received(connection: Connection) -> Iterator[Any]:
    """Yield the messages of the other process until it ends or closes the connection."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):  # the latter if it was killed while it sent a message
            return
        yield message
