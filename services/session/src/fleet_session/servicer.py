"""The session methods of the session service."""

from fleet_platform.rpc import Call
from fleet_platform.rpc.service import Handler
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_session.convert import is_append, to_reply
from fleet_session.session_lifecycle import SessionLifecycle


class SessionServicer:
    """Converts requests, calls the domain and converts the result."""

    def __init__(self, sessions: SessionLifecycle) -> None:
        self._sessions = sessions

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by method name."""
        return {
            "CreateSession": self.create_session,
            "CloseSession": self.close_session,
            "SetSessionSearchPaths": self.set_session_search_paths,
        }

    def create_session(
        self, _request: pb.CreateSessionRequest, _call: Call
    ) -> pb.CreateSessionResponse:
        """Create a session."""
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
        """Set or extend the folders in which a session looks up configs."""
        paths = self._sessions.set_search_paths(
            request.session_id, request.search_paths, append=is_append(request)
        )
        return to_reply(paths)
