"""The rule that nothing is replaced under a training."""

from fleet_platform.errors import OutOfOrder
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_trainer.runs.training_runs import TrainingRuns


def require_idle(session: SessionRecord, runs: TrainingRuns, method: str) -> None:
    """Refuse to replace what is being trained.

    Args:
        session: the session.
        runs: knows its runs.
        method: the call that would replace it, for the error text.

    Raises:
        OutOfOrder: a training of the session waits or runs.
    """
    if runs.active(session) is not None:
        raise OutOfOrder(
            f"A training runs in this session. Call {method} when it has ended; Train follows it"
            " and GetTrainStatus tells where it stands."
        )
