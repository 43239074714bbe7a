"""Composes a config from its defaults list.

Hydra decides which files are merged, in which order, and where the content of each one goes. This
module reads and merges the files: it reads plain values only, never leaves the roots, and touches
none of Hydra's process-wide state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import ConfigRepository
from hydra._internal.defaults_list import DefaultsList, create_defaults_list
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fleet_config.reference import MISSING
from fleet_config.yaml_file import YamlFile, YamlFiles
from fleet_platform.errors import InvalidInput


@dataclass(frozen=True)
class Composition:
    """A composed config before its values are overridden and its references resolved."""

    tree: dict[str, Any]
    """All values; the caller may modify it."""

    package: tuple[str, ...]
    """Path of the requested file's content within the tree."""

    value_overrides: list[Override]
    """The overrides that do not select files."""

    group_overrides: list[Override]
    """The overrides that select files from config groups."""


def compose(
    name: str, roots: Sequence[Path], overrides: list[Override], files: YamlFiles
) -> Composition:
    """Compose the config `name`.

    Args:
        name: path of the config relative to the first root, without extension.
        roots: folders in which configs are looked up, in order.
        overrides: parsed overrides; those that name a config group select files.
        files: reads and caches the files.

    Raises:
        InvalidInput: a file or an override is invalid; the text names it.
    """
    repository = _Repository(roots, files)
    try:
        defaults = create_defaults_list(
            repo=repository,
            config_name=name,
            overrides_list=overrides,
            prepend_hydra=False,
            skip_missing=False,
        )
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        raise InvalidInput(_reworded(error, name, overrides)) from error
    except AssertionError as error:  # raised by Hydra for an entry that is not text
        raise InvalidInput(f"config '{name}': its defaults list has an invalid entry.") from error
    except RecursionError as error:
        raise InvalidInput(f"config '{name}': its defaults list includes itself.") from error
    tree, package = _merge(name, defaults, repository)
    values = defaults.config_overrides
    return Composition(tree, package, values, [each for each in overrides if each not in values])


def merged(below: Any, above: Any) -> Any:
    """Return `below` overridden by `above`: mappings merge by key, other values are replaced."""
    if above == MISSING and below is not None:
        return below
    if isinstance(above, dict):
        lower = below if isinstance(below, dict) else {}
        return lower | {key: merged(lower.get(key), value) for key, value in above.items()}
    return [merged(None, item) for item in above] if isinstance(above, list) else above


def _merge(
    name: str, defaults: DefaultsList, repository: "_Repository"
) -> tuple[dict[str, Any], tuple[str, ...]]:
    tree: dict[str, Any] = {}
    package: tuple[str, ...] = ()
    for default in defaults.defaults:
        place = tuple((default.package or "").split(".")) if default.package else ()
        content: dict[str, Any] = repository.file(default.config_path).content
        if default.config_path == name:
            package = place
        for part in reversed(place):
            content = {part: content}
        tree = merged(tree, content)
    return tree, package


class _Source(ConfigSource):
    """One root folder; paths that lead out of it are treated as missing."""

    def __init__(self, root: Path, files: YamlFiles) -> None:
        super().__init__("session", f"{self.scheme()}://{root}")
        self._root = root
        self._files = files

    @staticmethod
    def scheme() -> str:
        return "file"

    def available(self) -> bool:
        return self._root.is_dir()

    def is_group(self, config_path: str) -> bool:
        path = self._inside(config_path)
        return path is not None and path.is_dir()

    def is_config(self, config_path: str) -> bool:
        path = self._inside(self._normalize_file_name(config_path))
        return path is not None and path.is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        folder = self._inside(config_path)
        if folder is None or not folder.is_dir() or results_filter is ObjectType.GROUP:
            return []
        return sorted(path.stem for path in folder.glob("*.yaml"))

    def read(self, config_path: str) -> YamlFile:
        path = self._inside(self._normalize_file_name(config_path))
        if path is None:
            raise InvalidInput(f"config '{config_path}' is outside the search paths.")
        return self._files.read(path, config_path)

    def load_config(self, config_path: str) -> ConfigResult:
        file = self.read(config_path)
        # Hydra only needs the defaults list and whether there is any other content.
        seen: dict[str, Any] = {"content": True} if file.content else {}
        if file.defaults is not None:
            seen["defaults"] = _with_self(file.defaults)
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=OmegaConf.create(seen),
            header={"package": file.package},
        )

    def _inside(self, config_path: str) -> Path | None:
        if "\0" in config_path or ".." in config_path.split("/"):
            return None
        path = (self._root / config_path.lstrip("/")).resolve()
        return path if path.is_relative_to(self._root) else None


class _Repository(ConfigRepository):
    """The root folders of one call, in order."""

    def __init__(self, roots: Sequence[Path], files: YamlFiles) -> None:
        self.sources = [_Source(root, files) for root in roots]

    def file(self, config_path: str | None) -> YamlFile:
        source = self._find_object_source(config_path or "", ObjectType.CONFIG)
        if not isinstance(source, _Source):
            raise InvalidInput(f"config '{config_path}' is no longer in the search paths.")
        return source.read(config_path or "")


def _with_self(defaults: Any) -> Any:
    """Return the defaults list with ``_self_``, which Hydra requires."""
    if isinstance(defaults, list) and "_self_" not in defaults:
        return [*defaults, "_self_"]
    return defaults


def _reworded(error: Exception, name: str, overrides: list[Override]) -> str:
    """Return Hydra's message without the server's folders, and the overrides that may cause it."""
    text = str(error).split("Config search path:", maxsplit=1)[0]
    line = " ".join(text.split()).removesuffix(".") + "."
    if f"'{name}'" not in line:
        line = f"config '{name}': {line}"
    named = [f"'{each.input_line}'" for each in overrides if each.key_or_group in line]
    return f"{line} Requested by override {', '.join(named)}." if named else line
