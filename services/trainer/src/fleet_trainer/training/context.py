"""The context of a run, and the interface between a training and the owner of its run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch

from fleet_engine import Pipeline
from fleet_engine.plugins import PluginLoader
from fleet_engine.training import WorkerGroup
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.files import PathPolicy
from fleet_platform.runs import Checkpoint, RunStore
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_schemas import PipelineConfig, TrainingConfig
from fleet_trainer.settings import TrainerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """A run, as claimed by this owner, and what its owner works with."""

    run: RunRecord
    """The record of the run, with the owner's fencing token."""

    runs: RunStore
    """Where runs and their progress are stored."""

    sessions: SessionStore
    """Where sessions are stored."""

    artifacts: ArtifactStore
    """Where weights and checkpoints are stored."""

    plugins: PluginLoader
    """Imports the node classes of plugins."""

    paths: PathPolicy
    """Which files may be read and written."""

    device: torch.device
    """The device that trains."""

    settings: TrainerSettings
    """The trainer's settings."""


class RunOwner(Protocol):
    """The owner of a run, as a training sees it."""

    @property
    def resumed(self) -> Checkpoint | None:
        """The state from which an interrupted run continues; None at its beginning."""

    def send(self, message: TrainResponse) -> None:
        """Send a progress message that every client must receive."""

    def send_if_due(self, message: TrainResponse) -> None:
        """Send a progress message, unless another one was sent just before."""

    def should_stop(self) -> bool:
        """Return whether to stop; called between steps."""

    def save_fitted(self) -> None:
        """Save the pipeline as the state in which the first epoch starts."""

    def save_epoch(self, epoch: int, state: bytes) -> None:
        """Save the engine's state after this many epochs."""

    def group(self, training: TrainingConfig) -> AbstractContextManager[WorkerGroup | None]:
        """Start the other processes that the settings ask for; None if the owner trains alone."""


class Trained(NamedTuple):
    """The result of a training that succeeded.

    Attributes:
        config: The pipeline's configuration; only a calibration changes it.
        message: The last message of the stream.
    """

    config: PipelineConfig
    message: TrainResponse


Train = Callable[[RunContext, Pipeline, RunOwner], Trained]
"""Trains a pipeline, which is on the device and has its initial weights, in place."""
