"""Imports the code of a plugin, isolated from everything else in the process.

Every module of a plugin is below a separate package whose name contains the digest of the plugin's
files: ``fleet_plugin_<digest>.lab.nodes`` for the plugin's ``lab.nodes``. Two plugins, or two
versions of one, may therefore have modules of the same name, and no installed module is shadowed.
The plugin needs no changes for this: its modules get a custom ``__import__``, which resolves the
plugin's own top-level names below that package.
"""

import builtins
import importlib
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from fleet_engine.graph.node_packages import import_node_class
from fleet_engine.scratch_folder import scratch_folder
from fleet_platform.files import unpack_folder
from fleet_schemas.plugins import SOURCE_FOLDERS

_PREFIX = "fleet_plugin_"

_codes: "weakref.WeakValueDictionary[str, PluginCode]" = weakref.WeakValueDictionary()


class PluginCode:
    """The unpacked files of a plugin, from which classes are imported."""

    def __init__(self, name: str, digest: str, content: bytes) -> None:
        """Unpack a plugin without running any of its code.

        Args:
            name: name of the plugin, for messages.
            digest: digest of `content`.
            content: its files, packed by `fleet_platform.files.pack_folder`.
        """
        self._name = name
        self._package = f"{_PREFIX}{digest}"
        self._folder = tempfile.mkdtemp(prefix=_PREFIX, dir=scratch_folder())
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        unpack_folder(content, Path(self._folder))
        self._paths = [str(path) for path in _source_folders(Path(self._folder))]
        self._own_names = frozenset(_top_level_names(self._paths))
        self.builtins: Mapping[str, Any] = {**vars(builtins), "__import__": self._import}
        _codes[self._package] = self
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)

    def node_class(self, path: str) -> type[nn.Module]:
        """Import a class of the plugin.

        Args:
            path: its dotted path within the plugin.

        Raises:
            GraphInvalid: the module cannot be imported, has no such name, or it is not a torch
                module.
        """
        return import_node_class(
            path,
            self._module,
            self._without_folder,
            f"The plugin '{self._name}' must contain the module, or the operator must install it "
            "in the trainer and inference services.",
        )

    def forget(self) -> None:
        """Remove the modules from `sys.modules`; classes in use are not affected."""
        for name in [*sys.modules]:
            if name == self._package or name.startswith(f"{self._package}."):
                sys.modules.pop(name, None)

    def _module(self, name: str) -> ModuleType:
        self._enter()
        return importlib.import_module(f"{self._package}.{name}")

    def _enter(self) -> None:
        if self._package not in sys.modules:
            package = ModuleType(self._package, f"The plugin '{self._name}'.")
            package.__path__ = self._paths
            # Keeps the folder until `forget`: code with the same digest uses this package, too.
            package.__dict__["__plugin_code__"] = self
            sys.modules[self._package] = package

    def _import(
        self,
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Implements the ``import`` statement of the plugin's modules."""
        top = name.partition(".")[0]
        if level or top not in self._own_names:
            return builtins.__import__(name, globals_, locals_, fromlist or (), level)
        self._enter()
        full = f"{self._package}.{name}"
        module = builtins.__import__(full, globals_, locals_, fromlist or ("__name__",), 0)
        return module if fromlist else sys.modules[f"{self._package}.{top}"]

    def _without_folder(self, text: str) -> str:
        """Remove names that only exist in this process from a text."""
        return text.replace(f"{self._folder}/", "").replace(f"{self._package}.", "")


class _Loader(SourceFileLoader):
    """Loads modules of a plugin with the custom ``__import__``."""

    def __init__(self, fullname: str, path: str, code: PluginCode) -> None:
        super().__init__(fullname, path)
        self._code = code

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._code.builtins
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds modules below the packages of plugins only."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, rest = fullname.partition(".")
        code = _codes.get(package) if rest else None
        if code is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, code)
        return spec


_finder = _Finder()


def _source_folders(folder: Path) -> Iterator[Path]:
    for name in SOURCE_FOLDERS:
        if (folder / name).is_dir():
            yield folder / name


def _top_level_names(folders: Sequence[str]) -> Iterator[str]:
    for folder in folders:
        for entry in Path(folder).iterdir():
            if entry.suffix == ".py":
                yield entry.stem
            elif entry.is_dir() and next(entry.rglob("*.py"), None) is not None:
                yield entry.name
