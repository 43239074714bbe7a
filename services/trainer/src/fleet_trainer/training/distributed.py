"""The part that a process other than the owner's takes in a run's training."""

from collections.abc import Callable

import torch

from fleet_engine.plugins import PluginLoader
from fleet_engine.training import WorkerGroup
from fleet_engine.weights import open_stored
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.runs import RunStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TRAINER_TYPE_GRADIENT
from fleet_proto.records.v1.records_pb2 import Pipeline
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.training.job import training_job
from fleet_trainer.training.monitors import event_files
from fleet_trainer.training.statistical import fit
from fleet_trainer.worker.checkpoints import Checkpoints


def train_as_rank(
    assignment: Assignment,
    group: WorkerGroup,
    *,
    runs: RunStore,
    artifacts: ArtifactStore,
    plugins: PluginLoader,
    policy: PathPolicy,
    read_ahead: int,
    device: torch.device,
    on_ready: Callable[[], None],
) -> None:
    """Train what the owner trains, from the state that it begins with, and keep nothing.

    Args:
        assignment: the run, as its owner holds it.
        group: this process's place among those that train together; joined here.
        runs: where the run is.
        artifacts: where weights and checkpoints are.
        plugins: imports the classes of plugins.
        policy: what may be read and written.
        read_ahead: measurements that may be read before they are asked for.
        device: where this process trains.
        on_ready: called when the run is open and the group is about to be joined.

    Raises:
        AppError: settings or data do not fit the pipeline, or the run is not there any more.
        Cancelled: the owner was to stop.
    """
    run = runs.read(assignment.run_id)
    resumed = Checkpoints(run, runs=runs, artifacts=artifacts).load()
    begun = Pipeline()
    begun.CopyFrom(run.pipeline)
    if resumed is not None:
        begun.weights_digest = resumed.weights_digest
    pipeline = open_stored(begun, artifacts, plugins).to(device)
    job = training_job(run, policy, read_ahead, group)
    on_ready()
    with event_files(pipeline, policy), group.joined(device):
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
            folder=policy.writable_folder,
            resume=None if resumed is None else resumed.state or None,
        )
