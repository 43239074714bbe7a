"""How a training goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class Progress:
    """One message of a training.

    Attributes:
        stage: ``train``, ``val``, ``test``, ``inference`` or ``unspecified``.
        status: ``running``, ``complete``, ``error``, ``cancelled``; ``unspecified`` when nothing
            was trained yet.
        epoch: from 0.
        batch: number of the batch within the epoch.
        step: optimizer steps so far.
        losses: by name.
        metrics: by name.
        message: a text for people.
        node: the node that is being fitted; empty: none.
        done: measurements read in this pass.
        total: measurements to read in this pass; 0: not known.
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
        """Read a message of the wire."""
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
    """The name of an enumeration's value; a later release may send one that is not known here."""
    names = {value: name for name, value in items}
    return names.get(number, str(number)).removeprefix(prefix).lower()
