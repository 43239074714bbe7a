"""Which node classes a session's pipelines may name."""

from typing import NamedTuple

from fleet_engine.descriptions import NodeDescription, built_in_nodes
from fleet_engine.plugins import PluginLoader, plugin_nodes
from fleet_platform.sessions import SessionStore


class ListedNodes(NamedTuple):
    """What one session is told.

    Attributes:
        nodes: the classes.
        port_lists: the session's client reads ports in list form, as releases up to 0.4.1 do.
    """

    nodes: list[NodeDescription]
    port_lists: bool


class NodeListing:
    """``ListAvailableNodes``."""

    def __init__(self, *, sessions: SessionStore, plugins: PluginLoader) -> None:
        self._sessions = sessions
        self._plugins = plugins

    def nodes(self, session_id: str) -> ListedNodes:
        """The built-in node classes, then those of the session's plugins.

        Raises:
            NotFound: unknown session.
        """
        record = self._sessions.read(session_id)
        nodes = [*built_in_nodes(), *plugin_nodes(record.plugins, self._plugins)]
        return ListedNodes(nodes, record.uses_port_lists)
