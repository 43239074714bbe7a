"""The files that a client saves: a YAML file, and weights beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy, write_atomically
from fleet_platform.shown_text import shown
from fleet_schemas import ConfigModel, to_yaml

_YAML_SUFFIXES = (".yaml", ".yml")


def yaml_target(text: str, field: str, paths: PathPolicy) -> Path:
    """Where a client's YAML file is written.

    Args:
        text: as the client sent it; ``.yaml`` may be left out.
        field: the request's field, for error texts.
        paths: what may be written.

    Raises:
        InvalidInput: no path, a folder, or outside the output folder; or the name of the weights
            beside it is that of a folder.
    """
    if not text.strip():
        raise InvalidInput(f"{field} is empty; name the YAML file to write.")
    if text.rpartition("/")[2] in {"", ".", ".."}:
        raise InvalidInput(f"{field} '{shown(text)}' names a folder; name a file.")
    named = text if text.lower().endswith(_YAML_SUFFIXES) else f"{text}.yaml"
    path = paths.writable(named)
    paths.writable(str(path.with_suffix(".pt")))
    return path


def write_saved(
    yaml_path: Path, config: ConfigModel | Mapping[str, Any], weights: bytes | None = None
) -> None:
    """Write a YAML file and, before it, the weights ``<stem>.pt`` if given, each in one step.

    Raises:
        Exhausted: no space is left.
        DependencyDown: the volume cannot be written.
    """
    text = to_yaml(config)
    if weights is not None:
        write_atomically(yaml_path.with_suffix(".pt"), weights)
    write_atomically(yaml_path, text)
