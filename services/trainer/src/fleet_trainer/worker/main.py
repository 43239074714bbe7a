"""The main function of a worker process.

The process executes one run after another until the trainer retires it or dies. The trainer sends
only `fleet_trainer.worker.messages`; everything else is read from the stores.
"""

import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.memory import start_memory_return
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry, configure_telemetry
from fleet_platform.telemetry.reported_counts import report_of
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.messages import MetricsReport, Ready, Sender, received

_LINGER_S = 4.0
_REPORT_INTERVAL_S = 1.0

_Assignments = queue.SimpleQueue[Assignment | None]


def serve(settings: TrainerSettings, connection: Connection) -> None:
    """Execute the runs that the trainer assigns; the target of a worker process."""
    # Only the trainer decides when its workers exit; Ctrl-C reaches the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    telemetry = configure_telemetry("trainer", settings)
    _execute_runs(settings, connection)
    telemetry.close()


def _execute_runs(settings: TrainerSettings, connection: Connection) -> None:
    from fleet_engine import allow_node_packages
    from fleet_engine.data import import_readers
    from fleet_engine.device import open_device
    from fleet_engine.plugins import PluginLoader
    from fleet_trainer.worker.worker import Worker

    allow_node_packages(settings.node_packages)
    try:
        device = open_device(settings.device, settings.torch_threads)
    except ValueError as error:
        sys.exit(str(error))  # the trainer refuses the same setting
    registry = MetricRegistry()
    sessions = open_session_store(settings, registry)
    runs = open_run_store(settings, registry, counted=True)
    artifacts = open_artifact_store(settings, registry)
    worker = Worker(
        sessions=sessions,
        artifacts=artifacts,
        plugins=PluginLoader(artifacts, allowed=settings.plugins != "off"),
        runs=runs,
        paths=PathPolicy.from_settings(settings),
        device=device,
        settings=settings,
        registry=registry,
    )
    sender = Sender(connection)
    metrics = _MetricsReporter(registry, sender)
    # The libraries of file formats take seconds to import, which no run must wait for.
    import_readers()
    # What exists now stays: a garbage collection after a run need not traverse all of torch.
    gc.collect()
    gc.freeze()
    assignments: _Assignments = queue.SimpleQueue()
    threading.Thread(
        target=_listen, args=(connection, assignments, worker.abandon), name="trainer", daemon=True
    ).start()
    sender.send(Ready())
    metrics.start()
    start_memory_return(settings.memory_return_s)
    threading.Thread(target=_import_lightning, name="imports", daemon=True).start()
    while (assignment := assignments.get()) is not None:
        finished = worker.execute(assignment)
        metrics.report()
        sender.send(finished)
        # Freeze also what has outlived the run, above all Lightning, imported in the meantime.
        gc.freeze()
    runs.close()
    sessions.close()


def _listen(connection: Connection, assignments: _Assignments, abandon: Callable[[], None]) -> None:
    for message in received(connection):
        if not isinstance(message, Assignment):
            break  # the worker is retired
        assignments.put(message)
    assignments.put(None)
    # If the trainer is gone, a run in progress must get another owner.
    abandon()
    threading.Event().wait(_LINGER_S)
    os._exit(1)


def _import_lightning() -> None:
    """Import what gradient training needs ahead of time."""
    import fleet_trainer.training.gradient  # noqa: F401


class _MetricsReporter:
    """Reports all counts to the trainer, once a second while they change and on request."""

    def __init__(self, registry: MetricRegistry, sender: Sender) -> None:
        self._registry = registry
        self._sender = sender
        self._last = ""
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start reporting on a daemon thread."""
        threading.Thread(target=self._keep_reporting, name="metrics", daemon=True).start()

    def report(self) -> None:
        """Report all counts now, unless nothing has changed."""
        with self._lock:
            report = report_of(self._registry)
            if report != self._last:
                self._sender.send(MetricsReport(report))
                self._last = report

    def _keep_reporting(self) -> None:
        pause = threading.Event()
        while not pause.wait(_REPORT_INTERVAL_S):
            self.report()
