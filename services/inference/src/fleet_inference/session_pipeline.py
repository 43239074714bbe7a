"""Guards against changing a session's pipeline at the wrong time."""

from fleet_platform.errors import Conflict
from fleet_proto.records.v1 import records_pb2 as records


def require_unchanged(record: records.SessionRecord, origin: records.Pipeline) -> None:
    """Refuse to store results of a pipeline that the session no longer has.

    Raises:
        Conflict: another call replaced the pipeline or its weights.
    """
    if record.pipeline != origin:
        raise Conflict(
            "Another call changed this session's pipeline at the same time. Retry if the call "
            "should apply to the new pipeline."
        )
