"""Composition root: builds the trainer service."""

import os
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_trainer.runs.launcher import RunLauncher
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.supervisor.reconciler import RunReconciler
from fleet_trainer.supervisor.recovery import RunRecovery
from fleet_trainer.supervisor.stale import StaleRunDetector
from fleet_trainer.workers import WorkerPool, WorkerProcess, register_metrics


@dataclass(frozen=True, slots=True)
class Trainer:
    """The service and its worker processes."""

    service: Service
    pool: WorkerPool


def build_service(settings: TrainerSettings) -> Service:
    """Build the service and start its workers; its `on_stop` callbacks end them.

    Raises:
        ValueError: this machine does not have the device of the settings.
    """
    return build_trainer(settings).service


def build_trainer(settings: TrainerSettings) -> Trainer:
    """Build the service as `build_service` does; return it with its workers."""
    with ExitStack() as undo:
        trainer = _build(settings, undo)
        undo.pop_all()
        return trainer


def _build(settings: TrainerSettings, undo: ExitStack) -> Trainer:
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry)
    undo.callback(sessions.close)
    artifacts = open_artifact_store(settings, registry)
    runs = open_run_store(settings, registry, counted=True)
    undo.callback(runs.close)
    recovery = RunRecovery(runs, artifacts)
    wake = threading.Event()
    pool = WorkerPool(
        partial(WorkerProcess, settings),
        slots=settings.train_slots,
        warm_workers=settings.warm_children,
        listener=recovery,
        on_free=wake.set,
        registry=registry,
    )
    undo.callback(pool.close)
    pool.start()
    register_metrics(registry, pool=pool, runs=runs, slots=settings.train_slots)
    # These import torch, which takes seconds: the workers do so at the same time.
    from fleet_engine import allow_node_packages
    from fleet_engine.device import choose_device
    from fleet_engine.gpu_memory import watch_gpu_memory
    from fleet_engine.plugins import PluginLoader
    from fleet_trainer.api.servicer import TrainerServicer
    from fleet_trainer.trainruns.restoring import TrainRunRestoring
    from fleet_trainer.trainruns.saving import TrainRunSaving
    from fleet_trainer.trainruns.setup import TrainRunSetup

    choose_device(settings.device)
    allow_node_packages(settings.node_packages)
    plugins = PluginLoader(artifacts, allowed=settings.plugins != "off")
    watch_gpu_memory(registry)

    queue = RunQueue(
        runs=runs,
        executor=pool,
        owner=f"{socket.gethostname()}:{os.getpid()}",
        limit=settings.train_queue,
    )
    reconciler = RunReconciler(
        executor=pool,
        queue=queue,
        runs=runs,
        sessions=sessions,
        stale=StaleRunDetector(lost_after_s=settings.lost_after_s),
        recovery=recovery,
        interval_s=settings.heartbeat_s,
        lost_after_s=settings.lost_after_s,
        wake=wake,
    )
    training_runs = TrainingRuns(sessions=sessions, runs=runs, queue=queue)
    paths = PathPolicy.from_settings(settings)
    servicer = TrainerServicer(
        sessions=sessions,
        runs=training_runs,
        launcher=RunLauncher(sessions=sessions, runs=runs, queue=queue),
        setup=TrainRunSetup(
            sessions=sessions, artifacts=artifacts, plugins=plugins, runs=runs, paths=paths
        ),
        saving=TrainRunSaving(sessions=sessions, artifacts=artifacts, plugins=plugins, paths=paths),
        restoring=TrainRunRestoring(
            sessions=sessions, artifacts=artifacts, plugins=plugins, runs=runs, paths=paths
        ),
        paths=paths,
    )
    service = Service(
        name="trainer",
        methods=servicer.handlers(),
        owned=METHODS_BY_SERVICE["trainer"],
        probes={"redis": sessions.ping, "artifacts": artifacts.ping, "children": pool.ping},
        on_drain=(training_runs.end_streams,),
        on_stop=(reconciler.close, pool.close, runs.close, sessions.close),
        registry=registry,
    )
    reconciler.start()
    return Trainer(service, pool)
