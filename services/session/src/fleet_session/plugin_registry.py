"""The plugins of a session."""

from collections.abc import Sequence
from typing import NamedTuple

from fleet_platform.errors import Exhausted, InvalidInput, NotFound
from fleet_platform.sessions import SessionStore
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import Plugin, SessionRecord
from fleet_schemas import canonical_json, parse_config
from fleet_schemas.graph import built_in_classes
from fleet_schemas.plugins import Capability, PluginManifest, read_manifest, read_manifests
from fleet_session.plugin_sources import PluginSources

MAX_PLUGINS = 32
MAX_SIZE_BYTES = 1024**2
"""Limit for all stored manifests of a session together, since every call reads them."""


class Registered(NamedTuple):
    """The result of registering plugins.

    Attributes:
        names: names of the registered plugins.
        failures: error text of each plugin that could not be registered, by name.
    """

    names: list[str]
    failures: dict[str, str]


class PluginRegistry:
    """Registers plugins in the records of their sessions."""

    def __init__(self, sessions: SessionStore, sources: PluginSources) -> None:
        self._sessions = sessions
        self._sources = sources

    def load_all(self, session_id: str, raw: bytes, wait_s: float | None) -> Registered:
        """Register several plugins by name, as clients of releases up to 0.5.2 do.

        The form of the manifests also shows how the session's client reads the ports of nodes:
        clients up to 0.4.1 read lists.

        Args:
            session_id: the session.
            raw: the manifests as UTF-8 JSON.
            wait_s: how long the caller waits.

        Raises:
            NotFound: unknown or expired session.
            InvalidInput: the manifests do not have this form.
            Exhausted: too many plugins, or manifests that are too large.
            DependencyDown: the artifact volume cannot be written.
        """
        session = self._sessions.read(session_id)
        manifests, has_objects = read_manifests(raw)
        _require_few(len(manifests))
        return self._register(session, manifests, wait_s, reads_port_lists=not has_objects)

    def load_one(self, session_id: str, raw: bytes, wait_s: float | None) -> Registered:
        """Register one plugin, as clients of releases since 0.6.0 do.

        Raises:
            NotFound, InvalidInput, Exhausted, DependencyDown: as `load_all` does.
        """
        session = self._sessions.read(session_id)
        manifest, fault = read_manifest(raw)
        if manifest is None:
            return Registered([], {"": fault})
        return self._register(session, [manifest], wait_s, reads_port_lists=False)

    def registered(self, session_id: str) -> list[PluginManifest]:
        """Return the session's plugins, in the order of registration.

        Raises:
            NotFound: unknown or expired session.
        """
        return [_manifest(plugin) for plugin in self._sessions.read(session_id).plugins]

    def get(self, session_id: str, name: str) -> PluginManifest:
        """Return one of the session's plugins.

        Raises:
            NotFound: unknown or expired session, or no plugin with this name.
        """
        plugins = self._sessions.read(session_id).plugins
        for plugin in plugins:
            if plugin.name == name:
                return _manifest(plugin)
        known = ", ".join(plugin.name for plugin in plugins) or "none"
        raise NotFound(
            f"Plugin '{shown(name)}' is not registered in this session. Registered: {known}."
        )

    def _register(
        self,
        session: SessionRecord,
        manifests: Sequence[PluginManifest],
        wait_s: float | None,
        *,
        reads_port_lists: bool,
    ) -> Registered:
        plugins, failures = [], {}
        for manifest in manifests:
            try:
                digest = self._sources.keep(manifest, session.search_paths, wait_s)
                plugins.append(_plugin(manifest, digest))
            except (InvalidInput, NotFound, Exhausted) as error:
                failures[manifest.name] = error.text

        def change(record: SessionRecord) -> None:
            kept = {plugin.name: plugin for plugin in record.plugins}
            kept.update((plugin.name, plugin) for plugin in plugins)
            after = list(kept.values())
            _require_few(len(after))
            size_bytes = sum(len(plugin.manifest_json) for plugin in after)
            if size_bytes > MAX_SIZE_BYTES:
                raise Exhausted(
                    f"The manifests of the session's plugins have {size_bytes} bytes; the limit is "
                    f"{MAX_SIZE_BYTES}."
                )
            del record.plugins[:]
            record.plugins.extend(after)
            record.uses_port_lists = record.uses_port_lists or reads_port_lists

        self._sessions.update(session.session_id, change)
        return Registered([plugin.name for plugin in plugins], failures)


def _require_few(count: int) -> None:
    if count > MAX_PLUGINS:
        raise Exhausted(f"{count} plugins; a session may have at most {MAX_PLUGINS}.")


def _plugin(manifest: PluginManifest, digest: str) -> Plugin:
    # The server has its own descriptions of built-in classes.
    capabilities = [
        Capability(class_name=each.class_name)
        if each.kind == "node" and each.class_name in built_in_classes()
        else each
        for each in manifest.capabilities
    ]
    short = manifest.model_copy(update={"capabilities": capabilities})
    content = short.model_dump(mode="json", exclude_defaults=True)
    return Plugin(name=manifest.name, manifest_json=canonical_json(content), code_digest=digest)


def _manifest(plugin: Plugin) -> PluginManifest:
    return parse_config(PluginManifest, plugin.manifest_json, f"plugin '{plugin.name}'")
