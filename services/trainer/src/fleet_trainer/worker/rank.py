"""A process that trains a run together with the run's owner, as one rank of a group.

It takes part in the training, reports no progress and stores nothing. If it fails it sends the
reason, which the owner reports.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.errors import Cancelled, Reason
from fleet_platform.files import PathPolicy
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.stored_records import copied
from fleet_platform.telemetry import configure_telemetry, logger, span_from_traceparent
from fleet_platform.telemetry.attributes import RANK, RUN_ID
from fleet_platform.telemetry.catalogue import spans
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TRAINER_TYPE_GRADIENT
from fleet_trainer.runs.outcomes import public_error
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.messages import RankFailed, RankReady, RankRequest, Sender, received

if TYPE_CHECKING:
    from fleet_engine.training import WorkerGroup
    from fleet_trainer.training.context import RunContext

_log = logger("fleet.trainer")

_LOOPBACK = "127.0.0.1"
_FAILED = 1


def train_as_rank(settings: TrainerSettings, request: RankRequest, connection: Connection) -> None:
    """Take part in a training until it ends or the owner is gone; the target of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_exit_with_owner, args=(connection,), name="owner", daemon=True).start()
    sender = Sender(connection)
    telemetry = configure_telemetry("trainer", settings)
    try:
        with span_from_traceparent(spans.RANK.name, request.traceparent, spans.RANK.scope) as span:
            span.set_attributes({RUN_ID: request.assignment.run_id, RANK: request.rank})
            _train(settings, request, lambda: sender.send(RankReady()))
    except Cancelled:
        return
    except Exception as error:
        _log.exception("rank.failed", rank=request.rank)
        failure = public_error(error, "")
        # The owner reports unexpected errors, under the trace id that its log contains.
        if failure.reason is not Reason.DEFECT:
            sender.send(RankFailed(failure.reason.name, failure.text))
        sys.exit(_FAILED)
    finally:
        telemetry.close()


def local_group(rank: int, world_size: int, port: int) -> "WorkerGroup":
    """Return the place of a process in a group of processes on this host."""
    from fleet_engine.training import WorkerGroup

    return WorkerGroup(rank, world_size, rank, 0, _LOOPBACK, port)


def _train(settings: TrainerSettings, request: RankRequest, on_ready: Callable[[], None]) -> None:
    import torch

    from fleet_engine import allow_node_packages
    from fleet_engine.device import open_device
    from fleet_engine.plugins import PluginLoader
    from fleet_trainer.training.context import RunContext

    allow_node_packages(settings.node_packages)
    threads = settings.torch_threads or max(1, (os.cpu_count() or 1) // request.world_size)
    device = open_device(settings.device, threads)
    if device.type == "cuda":
        device = torch.device("cuda", request.rank)
    artifacts = open_artifact_store(settings)
    runs, sessions = open_run_store(settings), open_session_store(settings)
    try:
        context = RunContext(
            run=runs.read(request.assignment.run_id),
            runs=runs,
            sessions=sessions,
            artifacts=artifacts,
            plugins=PluginLoader(artifacts, allowed=settings.plugins != "off"),
            paths=PathPolicy.from_settings(settings),
            device=device,
            settings=settings,
        )
        _train_with_owner(
            context, local_group(request.rank, request.world_size, request.port), on_ready
        )
    finally:
        sessions.close()
        runs.close()


def _train_with_owner(
    context: "RunContext", group: "WorkerGroup", on_ready: Callable[[], None]
) -> None:
    """Train what the owner trains, from the same initial state, and keep nothing.

    Args:
        context: The run, as its owner has claimed it.
        group: The place of this process in the group, which is joined here.
        on_ready: Called when the run is open and the group is about to be joined.

    Raises:
        AppError: settings or data do not fit the pipeline, or the run no longer exists.
        Cancelled: the owner was asked to stop.
    """
    from fleet_engine.weights import open_stored
    from fleet_trainer.training.job import event_files, training_job
    from fleet_trainer.training.statistical import fit
    from fleet_trainer.worker.checkpoints import Checkpoints

    run, paths = context.run, context.paths
    resumed = Checkpoints(context).load()
    initial = copied(run.pipeline)
    if resumed is not None:
        initial.weights_digest = resumed.weights_digest
    pipeline = open_stored(initial, context.artifacts, context.plugins).to(context.device)
    job = training_job(context, group)
    on_ready()
    with event_files(pipeline, paths), group.joined(context.device):
        if run.trainer_type != TRAINER_TYPE_GRADIENT:
            fit(pipeline, job, on_event=lambda _: None, should_stop=lambda: False)
            return
        from fleet_engine.training.gradient import train_gradient

        train_gradient(
            pipeline,
            job,
            on_event=lambda _: None,
            should_stop=lambda: False,
            on_checkpoint=lambda _: None,
            folder=paths.writable_folder,
            resume=None if resumed is None else resumed.state or None,
        )


def _exit_with_owner(connection: Connection) -> None:
    """Exit as soon as the owner closes the connection, which the end of its process does, too."""
    for _ in received(connection):
        pass
    os._exit(0)
