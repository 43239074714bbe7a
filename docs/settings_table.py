"""Write the settings table of the README from the settings classes.

``python -m docs.settings_table`` prints it; ``--write`` puts it between the README's markers.
"""

import sys
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from docs.marked_tables import cell, replace_table
from fleet_config.settings import ConfigSettings
from fleet_gateway import GatewaySettings
from fleet_inference.settings import InferenceSettings
from fleet_local.settings import StackSettings
from fleet_platform.settings import ServiceSettings
from fleet_session.settings import SessionSettings
from fleet_trainer.settings import TrainerSettings

README = Path(__file__).resolve().parent.parent / "README.md"


def render() -> str:
    """The table: one row per variable, who reads it, its default and its meaning."""
    rows: dict[str, tuple[list[str], FieldInfo]] = {}
    readers: dict[str, type[BaseSettings]] = {
        "make up": StackSettings,
        "every service": ServiceSettings,
        "session": SessionSettings,
        "config": ConfigSettings,
        "trainer": TrainerSettings,
        "inference": InferenceSettings,
        "gateway": GatewaySettings,
    }
    for reader, settings in readers.items():
        inherited = ServiceSettings.model_fields if issubclass(settings, ServiceSettings) else {}
        for name, field in settings.model_fields.items():
            if settings is not ServiceSettings and name in inherited:
                continue
            rows.setdefault(name.upper(), ([], field))[0].append(reader)
    lines = ["| variable | read by | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{name}` | {', '.join(who)} | {_default(field)} | {_meaning(field)} |"
        for name, (who, field) in sorted(rows.items())
    ]
    return "\n".join(lines) + "\n"


def replace_settings(readme: str) -> str:
    """`readme` with the table between its markers made anew."""
    return replace_table(readme, "settings", render())


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined or field.default in (None, ()):
        return "unset"
    return f"`{field.default}`"


def _meaning(field: FieldInfo) -> str:
    return cell(field.description or "").replace("``", "`")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        README.write_text(replace_settings(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(render())
