"""Parses plugin manifests sent by clients."""

from typing import Any, NamedTuple

from pydantic import Field

from fleet_platform.errors import InvalidInput
from fleet_schemas.config_model import ConfigModel
from fleet_schemas.parsing import parse_config, schema_violations
from fleet_schemas.plugins.plugin_manifest import PluginManifest

_WHAT = "manifest"


class _Manifests(ConfigModel):
    plugins: dict[str, Any] = Field(description="The plugins by name.")


class _Manifest(ConfigModel, extra="allow"):
    """Any object; its content is checked later."""


class NamedPlugins(NamedTuple):
    """Plugins sent by a client of the older generation.

    Attributes:
        manifests: the plugins.
        has_objects: whether classes are described by objects, as in releases 0.5.0 to 0.5.2,
            rather than only by their paths, as in older releases.
    """

    manifests: list[PluginManifest]
    has_objects: bool


def read_manifests(raw: bytes) -> NamedPlugins:
    """Read the older form: several plugins by name.

    Raises:
        InvalidInput: the content is not JSON of this form, or a manifest is invalid.
        Exhausted: it is larger than 8 MiB.
    """
    manifests, faults = [], []
    plugins = parse_config(_Manifests, raw, _WHAT).plugins
    for name, fields in plugins.items():
        content = {**fields, "name": name} if isinstance(fields, dict) else fields
        manifest, found = schema_violations(PluginManifest, content, f"{_WHAT}.plugins.{name}")
        faults += found
        if manifest is not None:
            manifests.append(manifest)
    if faults:
        raise InvalidInput(" ".join(faults[:10]))
    return NamedPlugins(manifests, any(map(_has_objects, plugins.values())))


def read_manifest(raw: bytes) -> tuple[PluginManifest | None, str]:
    """Read the newer form: a single plugin.

    Returns:
        The manifest, or None and its faults.

    Raises:
        InvalidInput: the content is empty, not JSON, or not an object.
        Exhausted: it is larger than 8 MiB.
    """
    content = parse_config(_Manifest, raw, _WHAT).model_extra
    manifest, faults = schema_violations(PluginManifest, content, _WHAT)
    return manifest, " ".join(faults[:10])


def _has_objects(fields: dict[str, Any]) -> bool:
    provided = fields.get("provides")
    return isinstance(provided, list) and any(isinstance(each, dict) for each in provided)
