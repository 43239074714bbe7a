"""Files saved for clients: a YAML file, and weights next to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy, write_atomically
from fleet_platform.shown_text import shown
from fleet_schemas import ConfigModel, to_yaml

_YAML_SUFFIXES = (".yaml", ".yml")


def yaml_target(text: str, field: str, paths: PathPolicy) -> Path:
    """Return the path of a client's YAML file.

    Args:
        text: the path as the client sent it; ``.yaml`` may be omitted.
        field: field of the request, for error texts.
        paths: policy on writable paths.

    Raises:
        InvalidInput: the path is empty, a folder, or outside the output folder; or the weights next
            to it would replace a folder.
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
    """Write a YAML file atomically, after the weights ``<stem>.pt`` if given.

    Raises:
        Exhausted: no space is left.
        DependencyDown: the volume cannot be written to.
    """
    text = to_yaml(config)
    if weights is not None:
        write_atomically(yaml_path.with_suffix(".pt"), weights)
    write_atomically(yaml_path, text)
