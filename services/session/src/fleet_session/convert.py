"""Converts search paths and plugins to messages."""

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas.plugins import PluginManifest
from fleet_session.session_lifecycle import SearchPaths


def is_append(request: pb.SetSessionSearchPathsRequest) -> bool:
    """Return whether to add the folders, which is the default if ``append`` is not set."""
    return request.append if request.HasField("append") else True


def to_reply(paths: SearchPaths) -> pb.SetSessionSearchPathsResponse:
    """Return the search paths; rejected folders do not make the call fail."""
    return pb.SetSessionSearchPathsResponse(
        success=True, current_paths=paths.current, rejected_paths=paths.rejected
    )


def to_plugin_info(plugin: PluginManifest) -> pb.PluginInfo:
    """Return the message for a plugin, with the fields of all releases."""
    return pb.PluginInfo(
        name=plugin.name,
        type="git" if plugin.is_git else "local",
        source=plugin.source,
        tag=plugin.tag or "",
        capabilities=plugin.class_paths,
    )
