"""Write the tables of ``docs/reference/settings.md`` from the settings classes.

``python -m docs.settings_table`` writes the document; with ``--check`` it only reports whether the
document is current.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from docs.marked_tables import cell, replace_table, write_or_check
from fleet_config.settings import ConfigSettings
from fleet_gateway import GatewaySettings
from fleet_inference.settings import InferenceSettings
from fleet_local.settings import StackSettings
from fleet_platform.settings import ServiceSettings
from fleet_session.settings import SessionSettings
from fleet_trainer.settings import TrainerSettings

DOCUMENT = Path(__file__).resolve().parent / "reference" / "settings.md"

_READERS: dict[str, type[BaseSettings]] = {
    "make up": StackSettings,
    "every service": ServiceSettings,
    "session": SessionSettings,
    "config": ConfigSettings,
    "trainer": TrainerSettings,
    "inference": InferenceSettings,
    "gateway": GatewaySettings,
}
_TOPICS = {
    "Local stack": r"INFERENCE|TRAINER|METRICS|RUN_DIR",
    "Files and folders": r"(ARTIFACT|CUVIS_CONFIGS|DATA|OUTPUT)_DIR|READ_ROOTS",
    "Redis, sessions and artifacts": r"REDIS_.*|SESSION_TTL_S|ARTIFACT_KEPT_S",
    "Gateway": r"GATEWAY_.*|ADMIN_PORT|.*_ENDPOINTS|GRPC_PORT|HEALTH_PORT",
    "Access control and limits": r"GRPC_(USE_)?TLS.*|API_KEYS_.*|JWT_.*|CALLS_.*|.*_PER_CALLER",
    "Calls and messages": r"GRPC_MAX_.*|SERVICE_(HOST|PORT)",
    "Training": r"TRAIN_.*|WARM_CHILDREN|READ_AHEAD|HEARTBEAT_S|LOST_AFTER_S",
    "Inference and devices": r"PIPELINE_CACHE_BYTES|SHARED_MEMORY|DEVICE|TORCH_THREADS",
    "Plugins and node packages": r"PLUGIN.*|NODE_PACKAGES",
    "Logs, traces and metrics": r"LOG_.*|OTEL_.*|METRICS_PORT|ACCESS_LOG",
    "Health, shutdown and memory": r"HEALTH_INTERVAL_S|DRAIN_S|STOP_GRACE_S|MEMORY_RETURN_S",
    "Other settings": r".*",
}
"""Sections of the page, each with the names that it has; the first match counts."""


class _Setting(NamedTuple):
    name: str
    readers: list[str]
    field: FieldInfo

    def row(self) -> str:
        columns = (f"`{self.name}`", ", ".join(self.readers), self._default(), self._meaning())
        return f"| {' | '.join(columns)} |"

    def _default(self) -> str:
        default = self.field.default
        if default is PydanticUndefined or default is None or default == ():
            return "unset"
        if isinstance(default, bool):
            return f"`{str(default).lower()}`"
        return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"

    def _meaning(self) -> str:
        return cell(self.field.description or "").replace("``", "`")


def render() -> str:
    """Return one table per topic, one row per variable: readers, default and meaning."""
    topics: dict[str, list[_Setting]] = {topic: [] for topic in _TOPICS}
    for setting in _settings():
        topic = next(topic for topic, names in _TOPICS.items() if re.fullmatch(names, setting.name))
        topics[topic].append(setting)
    return "\n".join(_section(topic, found) for topic, found in topics.items() if found)


def replace_settings(document: str) -> str:
    """Return `document` with current tables between its markers."""
    return replace_table(document, "settings", f"\n{render()}\n")


def _settings() -> Iterable[_Setting]:
    found: dict[str, _Setting] = {}
    for reader, settings in _READERS.items():
        inherited = ServiceSettings.model_fields if issubclass(settings, ServiceSettings) else {}
        for name, field in settings.model_fields.items():
            if settings is not ServiceSettings and name in inherited:
                continue
            setting = found.setdefault(name, _Setting(name.upper(), [], field))
            setting.readers.append(reader)
    return sorted(found.values(), key=lambda setting: setting.name)


def _section(topic: str, settings: Iterable[_Setting]) -> str:
    head = ("| variable | read by | default | meaning |", "| --- | --- | --- | --- |")
    rows = (setting.row() for setting in settings)
    return "\n".join((f"## {topic}", "", *head, *rows, ""))


def main() -> int:
    """Run the command line; return the exit status."""
    return write_or_check(
        DOCUMENT,
        replace_settings,
        sys.argv[1:],
        source="the settings classes",
        command="python -m docs.settings_table",
    )


if __name__ == "__main__":
    sys.exit(main())
