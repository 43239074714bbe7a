"""What a session's record says of its pipeline, and the rules for changing it."""

from fleet_platform.errors import Conflict, NotFound, OutOfOrder
from fleet_platform.runs import RunStore
from fleet_proto.records.v1 import records_pb2 as records

_ACTIVE_STATES = (records.RUN_STATE_QUEUED, records.RUN_STATE_RUNNING)


def require_pipeline(record: records.SessionRecord) -> records.Pipeline:
    """Return the session's pipeline.

    Raises:
        OutOfOrder: none is loaded.
    """
    if not record.HasField("pipeline"):
        raise OutOfOrder(
            "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
        )
    return record.pipeline


def require_no_training(record: records.SessionRecord, runs: RunStore) -> None:
    """Refuse to change a pipeline that is being trained.

    Raises:
        OutOfOrder: a training run of the session is queued or running.
    """
    if not record.run_id:
        return
    try:
        run = runs.read(record.run_id)
    except NotFound:
        return
    if run.state in _ACTIVE_STATES:
        raise OutOfOrder(
            "A training run is active on this session. Wait until its Train stream ends, or call "
            "StopTrain first."
        )


def require_unchanged(record: records.SessionRecord, origin: records.Pipeline) -> None:
    """Refuse to write what was computed from a pipeline that is no longer the session's.

    Raises:
        Conflict: another call replaced the pipeline or its weights.
    """
    if record.pipeline != origin:
        raise Conflict(
            "Another call changed this session's pipeline at the same time. Repeat the call if it "
            "shall apply to the new one."
        )
