"""The plugin methods of the session service."""

from fleet_platform.rpc import Call
from fleet_platform.rpc.service import Handler
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_session.convert import to_plugin_info
from fleet_session.git_clones import GitClones
from fleet_session.plugin_registry import PluginRegistry


class PluginServicer:
    """Converts requests, calls the domain and converts the result."""

    def __init__(self, plugins: PluginRegistry, clones: GitClones) -> None:
        self._plugins = plugins
        self._clones = clones

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by method name."""
        return {
            "LoadPlugins": self.load_plugins,
            "LoadPlugin": self.load_plugin,
            "ListLoadedPlugins": self.list_loaded_plugins,
            "GetPluginInfo": self.get_plugin_info,
            "ClearPluginCache": self.clear_plugin_cache,
        }

    def load_plugins(self, request: pb.LoadPluginsRequest, call: Call) -> pb.LoadPluginsResponse:
        """Register several plugins; failures are reported in the response."""
        names, failures = self._plugins.load_all(
            request.session_id, request.manifest.config_bytes, call.remaining_s()
        )
        return pb.LoadPluginsResponse(registered_plugins=names, failed_plugins=failures)

    def load_plugin(self, request: pb.LoadPluginRequest, call: Call) -> pb.LoadPluginResponse:
        """Register one plugin; a failure is reported in the response."""
        names, failures = self._plugins.load_one(
            request.session_id, request.manifest.config_bytes, call.remaining_s()
        )
        return pb.LoadPluginResponse(
            registered_plugin="".join(names), error=" ".join(failures.values())
        )

    def list_loaded_plugins(
        self, request: pb.ListLoadedPluginsRequest, _call: Call
    ) -> pb.ListLoadedPluginsResponse:
        """List the session's plugins."""
        plugins = self._plugins.registered(request.session_id)
        return pb.ListLoadedPluginsResponse(plugins=map(to_plugin_info, plugins))

    def get_plugin_info(
        self, request: pb.GetPluginInfoRequest, _call: Call
    ) -> pb.GetPluginInfoResponse:
        """Return one of the session's plugins."""
        plugin = self._plugins.get(request.session_id, request.plugin_name)
        return pb.GetPluginInfoResponse(plugin=to_plugin_info(plugin))

    def clear_plugin_cache(
        self, request: pb.ClearPluginCacheRequest, _call: Call
    ) -> pb.ClearPluginCacheResponse:
        """Delete what was fetched from git repositories."""
        return pb.ClearPluginCacheResponse(cleared_count=self._clones.clear(request.plugin_name))
