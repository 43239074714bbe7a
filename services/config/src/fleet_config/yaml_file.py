"""Reads config files: bounded, without code, each parsed once per version."""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fleet_config.reference import check_plain
from fleet_platform.errors import InvalidInput, NotFound
from fleet_schemas import check_json

MAX_FILE_SIZE_BYTES = 1024 * 1024
MAX_VALUES = 100_000
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
    try:
        text = raw.decode()
        content = _load(text)
        if content is None:
            content = {}
        if not isinstance(content, dict):
            raise InvalidInput(f"config '{name}' must be a mapping of keys to values.")
        check_json(content, f"config '{name}'")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"config '{name}' is not UTF-8 at byte {error.start}.") from error
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        where = f" at line {place.line + 1}, column {place.column + 1}" if place else ""
        raise InvalidInput(f"config '{name}' is not YAML: {error.problem}{where}.") from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"config '{name}' is not YAML.") from error
    except RecursionError as error:
        raise InvalidInput(f"config '{name}' is nested too deep.") from error
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error
    content.pop("hydra", None)  # for programs that Hydra starts; nothing is started here
    check_plain(content, f"config '{name}'")
    defaults = content.pop("defaults", None)
    return YamlFile(content, defaults, _package(text))


class _Loader(yaml.CSafeLoader):
    """YAML as OmegaConf reads it: ``1e-6`` is a number, dates stay text, no key comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        problem=f"the key '{key.value}' comes twice",
                        problem_mark=key.start_mark,
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.[\d_]*|\d[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+0123456789."),
)
_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in _Loader.yaml_implicit_resolvers.items()
}


def _load(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """Count the values that aliases expand to, before anything expands them."""
    known = counted.get(id(node))
    if known is not None:
        return known
    counted[id(node)] = MAX_VALUES + 1  # met again before it is counted: it holds itself
    total = 1 + sum(_count(child, counted) for child in _children(node))
    if total > MAX_VALUES:
        raise yaml.constructor.ConstructorError(
            problem=f"it holds itself or more than {MAX_VALUES} values",
            problem_mark=node.start_mark,
        )
    counted[id(node)] = total
    return total


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _package(text: str) -> str | None:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return None
        found = _PACKAGE_LINE.match(line)
        if found:
            return found[1]
    return None
