"""The progress of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class Progress:
    """A progress message of a training.

    Attributes:
        stage: ``train``, ``val``, ``test``, ``inference`` or ``unspecified``.
        status: ``running``, ``complete``, ``error``, ``cancelled``; ``unspecified`` before the
            first training.
        epoch: number of the epoch, from 0.
        batch: number of the batch within the epoch.
        step: number of optimizer steps so far.
        losses: losses by name.
        metrics: metrics by name.
        message: human-readable text.
        node: name of the node that is being fitted; empty: no node.
        done: number of measurements read in this pass.
        total: number of measurements in this pass; 0: unknown.
    """

    stage: str
    status: str
    epoch: int
    batch: int
    step: int
    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    message: str
    node: str
    done: int
    total: int

    @classmethod
    def from_wire(cls, message: pb.TrainResponse) -> "Progress":
        """Create from a message."""
        return cls(
            stage=_name(pb.ExecutionStage.items(), message.context.stage, "EXECUTION_STAGE_"),
            status=_name(pb.TrainStatus.items(), message.status, "TRAIN_STATUS_"),
            epoch=message.context.epoch,
            batch=message.context.batch_idx,
            step=message.context.global_step,
            losses=dict(message.losses),
            metrics=dict(message.metrics),
            message=message.message,
            node=message.event.node,
            done=message.event.progress.done,
            total=message.event.progress.total,
        )


def _name(items: Sequence[tuple[str, int]], number: int, prefix: str) -> str:
    """Return the name of an enum value, or its number if a newer server sent an unknown value."""
    names = {value: name for name, value in items}
    return names.get(number, str(number)).removeprefix(prefix).lower()
