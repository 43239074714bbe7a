"""A trainer's child process: works on one run after another until its parent closes the pipe.

``python -m fleet_trainer.worker.main`` reads the settings as JSON in its first line and then an
`Assignment` a line; it answers with a `ChildReply` a line, its `ChildMetrics` between them. All
else it reads from the stores.
"""

import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.memory import start_memory_return
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry, configure_telemetry
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.child_metrics import ChildMetrics
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.worker.spoken_lines import SpokenLines

_LINGER_S = 4.0

_Assignments = queue.SimpleQueue[Assignment | None]


def main() -> int:
    """Serve the parent until it closes the pipe or dies."""
    # The parent alone decides when its children end; Ctrl-C reaches the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    replies = SpokenLines()
    settings = TrainerSettings.model_validate_json(sys.stdin.readline())
    telemetry = configure_telemetry("trainer", settings)
    _serve(settings, replies)
    telemetry.close()
    return 0


def _serve(settings: TrainerSettings, replies: SpokenLines) -> None:
    from fleet_engine import allow_node_packages
    from fleet_engine.data import import_readers
    from fleet_engine.plugins import PluginLoader
    from fleet_trainer.training.device import open_device
    from fleet_trainer.worker.run_worker import RunWorker

    allow_node_packages(settings.node_packages)
    registry = MetricRegistry()
    sessions = open_session_store(settings, registry)
    runs = open_run_store(settings, registry, counted=True)
    artifacts = open_artifact_store(settings, registry)
    worker = RunWorker(
        sessions=sessions,
        artifacts=artifacts,
        plugins=PluginLoader(artifacts, allowed=settings.plugins != "off"),
        runs=runs,
        policy=PathPolicy.from_settings(settings),
        device=open_device(settings),
        heartbeat_s=settings.heartbeat_s,
        read_ahead=settings.read_ahead,
        settings_json=settings.model_dump_json(),
        registry=registry,
    )
    metrics = ChildMetrics(registry, replies)
    # Libraries of file formats take seconds to import; no run shall wait for them.
    import_readers()
    # What is here now stays for good: a collection after a run need not walk through all of torch.
    gc.collect()
    gc.freeze()
    assignments: _Assignments = queue.SimpleQueue()
    parent = threading.Thread(
        target=_listen, args=(assignments, worker.abandon), name="parent", daemon=True
    )
    parent.start()
    replies.say(ChildReply.READY)
    metrics.start()
    start_memory_return(settings.memory_return_s)
    threading.Thread(target=_import_lightning, name="imports", daemon=True).start()
    while (assignment := assignments.get()) is not None:
        reply = worker.execute(assignment)
        metrics.tell()
        replies.say(reply)
        # So does what outlived the run's own collection: Lightning above all, imported meanwhile.
        gc.freeze()
    runs.close()
    sessions.close()


def _listen(assignments: _Assignments, abandon: Callable[[], None]) -> None:
    for line in sys.stdin:
        assignments.put(Assignment.from_line(line))
    assignments.put(None)
    # The parent is gone or wants no more. A run that is still worked on is another's from now on.
    abandon()
    threading.Event().wait(_LINGER_S)
    os._exit(1)


def _import_lightning() -> None:
    """Have what gradient training needs at hand before one is asked for."""
    import fleet_trainer.training.gradient  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
