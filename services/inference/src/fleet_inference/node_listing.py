"""Lists the node classes that a session's pipelines may use."""

from typing import NamedTuple

from fleet_engine.descriptions import NodeDescription, built_in_nodes
from fleet_engine.plugins import PluginLoader, plugin_nodes
from fleet_platform.sessions import SessionStore


class ListedNodes(NamedTuple):
    """The node classes of one session.

    Attributes:
        nodes: the classes.
        port_lists: whether the session's client reads ports as lists, as releases up to 0.4.1 do.
    """

    nodes: list[NodeDescription]
    port_lists: bool


class NodeListing:
    """Implements ``ListAvailableNodes``."""

    def __init__(self, *, sessions: SessionStore, plugins: PluginLoader) -> None:
        self._sessions = sessions
        self._plugins = plugins

    def nodes(self, session_id: str) -> ListedNodes:
        """Return the built-in node classes, followed by those of the session's plugins.

        Raises:
            NotFound: unknown session.
        """
        record = self._sessions.read(session_id)
        nodes = [*built_in_nodes(), *plugin_nodes(record.plugins, self._plugins)]
        return ListedNodes(nodes, record.uses_port_lists)
