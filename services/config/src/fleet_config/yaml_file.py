"""Reads config files: bounded, without code, each parsed once per version."""

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_config.reference import check_plain
from fleet_platform.errors import InvalidInput, NotFound
from fleet_schemas import parse_yaml as parse_mapping

MAX_FILE_SIZE_BYTES = 1024 * 1024
_MAX_CACHED = 256
_PACKAGE_LINE = re.compile(r"^\s*#\s*@package\s+(\S+)\s*$")


@dataclass(frozen=True)
class YamlFile:
    """What one config file holds; nobody changes it, since calls share it."""

    content: dict[str, Any]
    """Its keys without the defaults list."""

    defaults: Any
    """Its defaults list as written; None: it has none."""

    package: str | None
    """Where its ``@package`` header puts the content; None: no header."""


class YamlFiles:
    """Files that were read, kept while they stay unchanged on disk."""

    def __init__(self) -> None:
        self._cached: OrderedDict[Path, tuple[tuple[int, int, int], YamlFile]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, name: str) -> YamlFile:
        """Return the file's content.

        Args:
            path: the file.
            name: what the caller calls it; error texts use nothing else.

        Raises:
            NotFound: there is no such file.
            InvalidInput: too large, not UTF-8, not YAML, not a mapping, or holding more than plain
                values.
        """
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            with self._lock:
                cached = self._cached.get(path)
            if cached is not None and cached[0] == version:
                return cached[1]
            if stat.st_size > MAX_FILE_SIZE_BYTES:
                raise InvalidInput(
                    f"config '{name}' has {stat.st_size} bytes; at most {MAX_FILE_SIZE_BYTES} "
                    "are read."
                )
            raw = path.read_bytes()
        except OSError as error:
            raise NotFound(f"config '{name}' cannot be read.") from error
        file = parse_yaml(raw, name)
        with self._lock:
            self._cached[path] = (version, file)
            self._cached.move_to_end(path)
            while len(self._cached) > _MAX_CACHED:
                self._cached.popitem(last=False)
        return file


def parse_yaml(raw: bytes, name: str) -> YamlFile:
    """Make a config file's content from its bytes.

    Raises:
        InvalidInput: as `YamlFiles.read`.
    """
    content = parse_mapping(raw, f"config '{name}'")
    content.pop("hydra", None)  # for programs that Hydra starts; nothing is started here
    check_plain(content, f"config '{name}'")
    defaults = content.pop("defaults", None)
    return YamlFile(content, defaults, _package(raw.decode()))


def _package(text: str) -> str | None:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return None
        found = _PACKAGE_LINE.match(line)
        if found:
            return found[1]
    return None
