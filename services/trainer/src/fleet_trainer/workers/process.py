"""A worker process, as the trainer sees it."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.main import serve
from fleet_trainer.worker.messages import Retire, Sender, WorkerMessage, received

_EXIT_WAIT_S = 5.0
_REAPED_WITHIN_S = 0.001


class WorkerProcess:
    """A process that executes one run at a time; it runs `fleet_trainer.worker.main.serve`.

    The process is spawned, not forked: it inherits neither the threads nor the sockets of the gRPC
    server. It shares standard output and standard error with the trainer. When the trainer dies,
    the connection closes and the worker exits.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        target: Callable[[TrainerSettings, Connection], None] = serve,
    ) -> None:
        """Start the process; returns before it is ready.

        Args:
            settings: The trainer's settings.
            target: What the process runs.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._sender = Sender(self._connection)
        self._process = context.Process(target=target, args=(settings, other_end), name="worker")
        self._process.start()
        other_end.close()
        self._watcher: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """Exit code; a negative number is the signal that killed it, None means that it runs."""
        return self._process.exitcode

    def watch(
        self, on_message: Callable[[WorkerMessage], None], on_exit: Callable[[], None]
    ) -> None:
        """Forward the messages of the worker, then its exit, on a thread of this object.

        Args:
            on_message: Called with each message.
            on_exit: Called once after the process has ended; `exit_code` is known by then.
        """

        def watch() -> None:
            for message in received(self._connection):
                on_message(message)
            self._reap()
            self._sender.close()
            on_exit()

        self._watcher = threading.Thread(
            target=watch, name=f"trainer-worker-{self.pid}", daemon=True
        )
        self._watcher.start()

    def assign(self, assignment: Assignment) -> None:
        """Make the worker execute a run; if it has ended, `on_exit` is called anyway."""
        self._sender.send(assignment)

    def retire(self) -> None:
        """Ask the worker to exit when it is idle."""
        self._sender.send(Retire())

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        self._process.kill()

    def join(self) -> None:
        """Wait until the process has ended; kill it after 5 s."""
        if self._watcher is None:
            return
        self._watcher.join(_EXIT_WAIT_S)
        if self._watcher.is_alive():
            self.kill()
            self._watcher.join(_EXIT_WAIT_S)

    def _reap(self) -> None:
        self._process.join()
        while self._process.exitcode is None:
            # Another thread, which starts a process at this moment, is reaping this one.
            time.sleep(_REAPED_WITHIN_S)
