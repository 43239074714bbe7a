"""The methods of the config service."""

from fleet_config.convert import to_reply
from fleet_config.resolution import ConfigResolver
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


class ConfigServicer:
    """Converts in, calls the domain, converts out."""

    def __init__(self, sessions: SessionStore, resolver: ConfigResolver) -> None:
        self._sessions = sessions
        self._resolver = resolver

    def resolve_config(
        self, request: pb.ResolveConfigRequest, call: Call
    ) -> pb.ResolveConfigResponse:
        """Compose, override and validate a config from the session's search paths."""
        session = self._sessions.read(request.session_id)
        config = self._resolver.resolve(
            request.config_type,
            request.path,
            session.search_paths,
            request.overrides,
            call.remaining_s(),
        )
        return to_reply(config)
