"""From what a client sent to manifests."""

from typing import Any

from pydantic import Field

from fleet_platform.errors import InvalidInput
from fleet_schemas.config_model import ConfigModel
from fleet_schemas.parsing import parse_config, schema_violations
from fleet_schemas.plugins.plugin_manifest import PluginManifest

_WHAT = "manifest"


class _Manifests(ConfigModel):
    plugins: dict[str, Any] = Field(description="The plugins by name.")


class _Manifest(ConfigModel, extra="allow"):
    """Any object; what is in it is looked at afterwards."""


def read_manifests(raw: bytes) -> list[PluginManifest]:
    """Read the older form: several plugins by name.

    Raises:
        InvalidInput: no JSON of this form, or one of the plugins is described wrongly.
        Exhausted: larger than 8 MiB.
    """
    manifests, faults = [], []
    for name, fields in parse_config(_Manifests, raw, _WHAT).plugins.items():
        content = {**fields, "name": name} if isinstance(fields, dict) else fields
        manifest, found = schema_violations(PluginManifest, content, f"{_WHAT}.plugins.{name}")
        faults += found
        if manifest is not None:
            manifests.append(manifest)
    if faults:
        raise InvalidInput(" ".join(faults[:10]))
    return manifests


def read_manifest(raw: bytes) -> tuple[PluginManifest | None, str]:
    """Read the newer form: a single plugin.

    Returns:
        The manifest, or None and what is wrong with it.

    Raises:
        InvalidInput: empty, no JSON, or no object.
        Exhausted: larger than 8 MiB.
    """
    content = parse_config(_Manifest, raw, _WHAT).model_extra
    manifest, faults = schema_violations(PluginManifest, content, _WHAT)
    return manifest, " ".join(faults[:10])
