"""Reads config files: limited in size, plain values only, each version parsed once."""

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
    """The content of one config file; shared between calls, so it must not be modified."""

    content: dict[str, Any]
    """All keys except the defaults list."""

    defaults: Any
    """The defaults list as written, or None."""

    package: str | None
    """The package from the ``@package`` header, or None."""


class YamlFiles:
    """A cache of parsed files, each valid until it changes on disk."""

    def __init__(self) -> None:
        self._cached: OrderedDict[Path, tuple[tuple[int, int, int], YamlFile]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, name: str) -> YamlFile:
        """Return the file's content.

        Args:
            path: the file.
            name: the name by which the caller requested it, used in error texts.

        Raises:
            NotFound: no such file.
            InvalidInput: too large, not UTF-8, not YAML, not a mapping, or containing anything but
                plain values.
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
                    f"config '{name}' has {stat.st_size} bytes; the limit is {MAX_FILE_SIZE_BYTES}."
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
    """Parse the bytes of a config file.

    Raises:
        InvalidInput: as `YamlFiles.read`.
    """
    content = parse_mapping(raw, f"config '{name}'")
    content.pop("hydra", None)  # settings for Hydra applications, unused here
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
