"""The built-in nodes, one file each, in packages by purpose.

Importing this package imports every module below it, which registers the node classes under their
published paths. A module that cannot be imported is an error and is never skipped.
"""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules


def _import_modules(package: str, folders: Iterable[str]) -> None:
    """Import all modules and packages below `package`, in the order of their names."""
    for found in sorted(iter_modules(folders), key=lambda module: module.name):
        module = import_module(f"{package}.{found.name}")
        if found.ispkg:
            _import_modules(module.__name__, module.__path__)


_import_modules(__name__, __path__)
