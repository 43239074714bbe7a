"""Checks that a plugin's folder has the declared classes, without running its code."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from fleet_platform.errors import InvalidInput
from fleet_schemas.plugins import SOURCE_FOLDERS

_MAX_MODULE_BYTES = 1024**2


def require_classes(folder: Path, paths: Iterable[str]) -> None:
    """Check that each class is defined in the source of its module.

    Args:
        folder: the plugin's folder.
        paths: dotted paths of the classes.

    Raises:
        InvalidInput: a module is missing, is not valid Python or does not define the name.
    """
    for path in paths:
        module, _, name = path.rpartition(".")
        names = _names(_file(folder, module, path), module)
        if name not in names and "*" not in names:
            raise InvalidInput(f"Class '{path}': the module '{module}' has no '{name}'.")


def _file(folder: Path, module: str, path: str) -> Path:
    below = module.replace(".", "/")
    for source in SOURCE_FOLDERS:
        for name in (f"{below}.py", f"{below}/__init__.py"):
            file = folder / source / name
            if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
                return file
    raise InvalidInput(f"Class '{path}': no module '{module}' in the folder or in its 'src'.")


def _names(file: Path, module: str) -> set[str]:
    if file.stat().st_size > _MAX_MODULE_BYTES:
        raise InvalidInput(f"The module '{module}' has more than {_MAX_MODULE_BYTES} bytes.")
    try:
        tree = ast.parse(file.read_bytes())
        return set(_bound(tree))
    except SyntaxError as error:
        raise InvalidInput(
            f"The module '{module}' is not valid Python: {error.msg} in line {error.lineno}."
        ) from error
    except (ValueError, RecursionError, MemoryError, OSError) as error:
        raise InvalidInput(f"The module '{module}' cannot be read as Python.") from error


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield the names that the module may define when it runs; ``*`` means any name."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.alias(name=name, asname=alias):
                yield alias or name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
