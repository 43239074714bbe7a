"""Guards against changing a session's pipeline at the wrong time."""

from fleet_platform.errors import Conflict
from fleet_proto.records.v1 import records_pb2 as records


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
