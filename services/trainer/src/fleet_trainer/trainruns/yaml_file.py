"""YAML files that a client names."""

from pathlib import Path
from typing import Any

from fleet_platform.errors import InvalidInput
from fleet_schemas import parse_yaml

SUFFIXES = ("", ".yaml", ".yml")
"""What may be missing at the end of a YAML file's path, in the order of trial."""

_MAX_SIZE_BYTES = 8 * 1024 * 1024


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """Read a mapping of JSON values.

    Args:
        path: the file.
        what: what the file is to the client, the subject of the error texts.

    Raises:
        InvalidInput: it cannot be read, is larger than 8 MiB, or holds something else.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > _MAX_SIZE_BYTES:
            raise InvalidInput(
                f"{what} has {size_bytes} bytes; at most {_MAX_SIZE_BYTES} are read."
            )
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{what} cannot be read; is it a readable file?") from error
    return parse_yaml(raw, what)
