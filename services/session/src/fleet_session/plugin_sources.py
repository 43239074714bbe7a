"""Stores the code of plugins if the operator allows it to run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import AppError, DependencyDown, InvalidInput
from fleet_platform.files import PathPolicy, pack_folder
from fleet_platform.telemetry import logger
from fleet_schemas.graph import built_in_classes
from fleet_schemas.plugins import PluginManifest
from fleet_session.git_clones import GitClones
from fleet_session.provided_classes import require_classes

_DATA_MODULES_HERE = frozenset({"cu3s"})
"""Data modules that the server's own readers replace."""

_log = logger("fleet.session")


class PluginSources:
    """Copies the current files of plugins to the artifact store."""

    def __init__(
        self,
        *,
        paths: PathPolicy,
        artifacts: ArtifactStore,
        allowed: Literal["off", "local", "git"],
        clones: GitClones,
    ) -> None:
        self._paths = paths
        self._artifacts = artifacts
        self._allowed = allowed
        self._clones = clones

    def keep(
        self, manifest: PluginManifest, search_paths: Sequence[str], wait_s: float | None
    ) -> str:
        """Store a plugin's files.

        If some of a plugin's classes are built in, it can be registered without its files; in
        that case, only those classes are usable.

        Args:
            manifest: the plugin's manifest.
            search_paths: the session's; a relative path is looked up there first.
            wait_s: how long the caller waits; None if it has no deadline.

        Returns:
            The artifact's digest; empty if none of the plugin's code is used.

        Raises:
            InvalidInput: the plugin is not allowed, or its files do not match the manifest.
            NotFound: the folder does not exist.
            Exhausted: the folder is too large, or the volume is full.
            DependencyDown: the volume cannot be written.
        """
        nodes = [each.class_name for each in manifest.capabilities if each.kind == "node"]
        missing = [path for path in nodes if path not in built_in_classes()]
        served = len(nodes) > len(missing) or any(
            each.data_module_name in _DATA_MODULES_HERE for each in manifest.capabilities
        )
        if not missing and served:
            return ""
        try:
            if not missing:
                raise InvalidInput(
                    f"The plugin '{manifest.name}' provides only data modules, and this server "
                    "reads measurements with its own readers."
                )
            folder = self._folder(manifest, search_paths, wait_s)
            require_classes(folder, missing)
            return self._artifacts.put(pack_folder(folder))
        except DependencyDown:
            raise
        except AppError as error:
            if not served:
                raise
            _log.info("plugin.without_code", plugin=manifest.name, error=error.text)
            return ""

    def _folder(
        self, manifest: PluginManifest, search_paths: Sequence[str], wait_s: float | None
    ) -> Path:
        if manifest.is_git:
            self._require(self._allowed == "git", manifest, "is in a git repository", "git")
            return self._clones.tree(
                manifest.name, manifest.source, manifest.tag or "", wait_s=wait_s
            )
        self._require(self._allowed != "off", manifest, "has its own classes", "local")
        return self._paths.code_folder(manifest.source, search_paths)

    def _require(self, holds: bool, manifest: PluginManifest, what: str, setting: str) -> None:
        if not holds:
            raise InvalidInput(
                f"The plugin '{manifest.name}' {what}, and this server does not run the code of "
                f"such plugins. Its operator can allow it with PLUGINS={setting}."
            )
