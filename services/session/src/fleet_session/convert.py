"""Session life as the wire carries it."""

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_session.session_life import SearchPaths


def is_append(request: pb.SetSessionSearchPathsRequest) -> bool:
    """Whether the folders are added; a client that does not say so means it."""
    return request.append if request.HasField("append") else True


def to_reply(paths: SearchPaths) -> pb.SetSessionSearchPathsResponse:
    """Return the outcome; rejected folders do not make the call fail."""
    return pb.SetSessionSearchPathsResponse(
        success=True, current_paths=paths.current, rejected_paths=paths.rejected
    )
