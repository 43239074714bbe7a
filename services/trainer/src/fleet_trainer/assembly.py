"""Puts the trainer service together."""

import os
import socket
from dataclasses import dataclass

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_trainer.child_pool import ChildPool
from fleet_trainer.lost_runs import LostRuns
from fleet_trainer.run_watch import RunWatch
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.training_runs import TrainingRuns


@dataclass(frozen=True)
class Trainer:
    """The service and the processes behind it."""

    service: Service
    pool: ChildPool


def assemble(settings: TrainerSettings) -> Trainer:
    """Build the service and start its child processes; the service's closers end them."""
    sessions = open_session_store(settings)
    artifacts = open_artifact_store(settings)
    runs = open_run_store(settings)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    lost = LostRuns(runs, owner=owner, lost_after_s=settings.lost_after_s)
    pool = ChildPool(
        settings.model_dump_json(),
        slots=settings.train_slots,
        warm_children=settings.warm_children,
        queue=settings.train_queue,
        on_lost=lost.settle,
    )
    pool.start()
    # These import torch, which takes seconds: the children do so at the same time.
    from fleet_engine import allow_node_packages
    from fleet_trainer.servicer import TrainerServicer
    from fleet_trainer.train_run_setup import TrainRunSetup

    allow_node_packages(settings.node_packages)

    watch = RunWatch(
        held=pool.held,
        kill=pool.kill,
        runs=runs,
        sessions=sessions,
        lost=lost,
        every_s=settings.heartbeat_s,
        lost_after_s=settings.lost_after_s,
    )
    training_runs = TrainingRuns(sessions=sessions, runs=runs, submit=pool.submit, lost=lost)
    servicer = TrainerServicer(
        sessions=sessions,
        runs=training_runs,
        setup=TrainRunSetup(
            sessions=sessions,
            artifacts=artifacts,
            runs=training_runs,
            policy=PathPolicy.from_settings(settings),
        ),
    )
    watch.start()
    service = Service(
        name="trainer",
        methods={
            "SetTrainRunConfig": servicer.set_train_run_config,
            "Train": servicer.train,
            "GetTrainStatus": servicer.get_train_status,
        },
        owned=METHODS_BY_SERVICE["trainer"],
        probes={"redis": sessions.ping, "artifacts": artifacts.ping, "children": pool.ping},
        closers=(watch.close, pool.close, runs.close, sessions.close),
    )
    return Trainer(service, pool)
