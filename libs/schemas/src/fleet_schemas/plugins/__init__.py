"""Plugin manifests of both published generations."""

from fleet_schemas.plugins.capability import Capability, CapabilityPort
from fleet_schemas.plugins.manifest_reading import NamedPlugins, read_manifest, read_manifests
from fleet_schemas.plugins.plugin_manifest import (
    MAX_CAPABILITIES,
    SOURCE_FOLDERS,
    PluginManifest,
)

__all__ = [
    "MAX_CAPABILITIES",
    "SOURCE_FOLDERS",
    "Capability",
    "CapabilityPort",
    "NamedPlugins",
    "PluginManifest",
    "read_manifest",
    "read_manifests",
]
