"""The methods of the session service."""

from fleet_platform.rpc import Call
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_session.convert import is_append, to_reply
from fleet_session.session_life import SessionLife


class SessionServicer:
    """Converts in, calls the domain, converts out."""

    def __init__(self, sessions: SessionLife) -> None:
        self._sessions = sessions

    def create_session(
        self, _request: pb.CreateSessionRequest, _call: Call
    ) -> pb.CreateSessionResponse:
        """Open a session."""
        return pb.CreateSessionResponse(session_id=self._sessions.create())

    def close_session(
        self, request: pb.CloseSessionRequest, _call: Call
    ) -> pb.CloseSessionResponse:
        """Close a session."""
        self._sessions.close(request.session_id)
        return pb.CloseSessionResponse(success=True)

    def set_session_search_paths(
        self, request: pb.SetSessionSearchPathsRequest, _call: Call
    ) -> pb.SetSessionSearchPathsResponse:
        """Change where a session looks for configs."""
        paths = self._sessions.set_search_paths(
            request.session_id, request.search_paths, append=is_append(request)
        )
        return to_reply(paths)
