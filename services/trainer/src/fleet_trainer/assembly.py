"""Puts the trainer service together."""

import os
import socket
import threading
from dataclasses import dataclass

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_trainer.runs.launcher import RunBeginning
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.supervisor.reconciler import RunWatch
from fleet_trainer.supervisor.recovery import InterruptedRuns
from fleet_trainer.supervisor.stale import LostRuns
from fleet_trainer.workers.metrics import watch_trainer
from fleet_trainer.workers.pool import ChildPool


@dataclass(frozen=True)
class Trainer:
    """The service and the processes behind it."""

    service: Service
    pool: ChildPool


def assemble(settings: TrainerSettings) -> Trainer:
    """Build the service and start its child processes; its `on_stop` callbacks end them."""
    registry = MetricRegistry.of_process()
    sessions = open_session_store(settings, registry)
    artifacts = open_artifact_store(settings, registry)
    runs = open_run_store(settings, registry, counted=True)
    interrupted = InterruptedRuns(runs, artifacts)
    wake = threading.Event()
    pool = ChildPool(
        settings.model_dump_json(),
        slots=settings.train_slots,
        warm_children=settings.warm_children,
        losses=interrupted,
        on_free=wake.set,
        registry=registry,
    )
    pool.start()
    watch_trainer(registry, pool=pool, runs=runs, slots=settings.train_slots)
    # These import torch, which takes seconds: the children do so at the same time.
    from fleet_engine import allow_node_packages
    from fleet_engine.gpu_memory import watch_gpu_memory
    from fleet_engine.plugins import PluginLoader
    from fleet_trainer.api.files_servicer import TrainRunFilesServicer
    from fleet_trainer.api.servicer import TrainerServicer
    from fleet_trainer.trainruns.restoring import TrainRunRestoring
    from fleet_trainer.trainruns.saving import TrainRunSaving
    from fleet_trainer.trainruns.setup import TrainRunSetup

    allow_node_packages(settings.node_packages)
    plugins = PluginLoader(artifacts, allowed=settings.plugins != "off")
    watch_gpu_memory(registry)

    queue = RunQueue(
        runs=runs,
        pool=pool,
        owner=f"{socket.gethostname()}:{os.getpid()}",
        bound=settings.train_queue,
    )
    watch = RunWatch(
        pool=pool,
        queue=queue,
        runs=runs,
        sessions=sessions,
        lost=LostRuns(lost_after_s=settings.lost_after_s),
        interrupted=interrupted,
        every_s=settings.heartbeat_s,
        lost_after_s=settings.lost_after_s,
        wake=wake,
    )
    training_runs = TrainingRuns(sessions=sessions, runs=runs, queue=queue)
    paths = PathPolicy.from_settings(settings)
    servicer = TrainerServicer(
        sessions=sessions,
        runs=training_runs,
        beginning=RunBeginning(sessions=sessions, runs=runs, queue=queue),
        paths=paths,
        setup=TrainRunSetup(
            sessions=sessions,
            artifacts=artifacts,
            plugins=plugins,
            runs=training_runs,
            policy=paths,
        ),
    )
    files = TrainRunFilesServicer(
        saving=TrainRunSaving(sessions=sessions, artifacts=artifacts, plugins=plugins, paths=paths),
        restoring=TrainRunRestoring(
            sessions=sessions,
            artifacts=artifacts,
            plugins=plugins,
            runs=training_runs,
            paths=paths,
        ),
    )
    watch.start()
    service = Service(
        name="trainer",
        methods={
            "SetTrainRunConfig": servicer.set_train_run_config,
            "Train": servicer.train,
            "StopTrain": servicer.stop_train,
            "GetTrainStatus": servicer.get_train_status,
            "SaveTrainRun": files.save_train_run,
            "RestoreTrainRun": files.restore_train_run,
        },
        owned=METHODS_BY_SERVICE["trainer"],
        probes={"redis": sessions.ping, "artifacts": artifacts.ping, "children": pool.ping},
        on_drain=(training_runs.end_streams,),
        on_stop=(watch.close, pool.close, runs.close, sessions.close),
        registry=registry,
    )
    return Trainer(service, pool)
