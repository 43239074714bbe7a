"""Packages whose node classes pipelines may use."""

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType

from torch import nn

from fleet_engine.graph.errors import GraphInvalid

_allowed: tuple[str, ...] = ()


def allow_node_packages(prefixes: Iterable[str]) -> None:
    """Allow pipelines to use node classes below these dotted prefixes; default: none.

    To be called by the composition root of a process before the first pipeline is built. A class
    below a prefix is code that will run, so only the operator may choose the prefixes.

    Args:
        prefixes: packages, modules or single classes, such as ``lab`` or ``lab.nodes.Smooth``.
    """
    global _allowed  # noqa: PLW0603  (a setting of the process)
    _allowed = tuple(prefixes)


def is_allowed(path: str) -> bool:
    """Return whether a class path is below one of the allowed prefixes."""
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in _allowed)


def import_node_class(
    path: str,
    load: Callable[[str], ModuleType] = importlib.import_module,
    readable: Callable[[str], str] = str,
    remedy: str = "Install it in the trainer and inference services.",
) -> type[nn.Module]:
    """Import an allowed class.

    Args:
        path: dotted path of the class.
        load: imports a module by its dotted path.
        readable: removes internal names from messages of third-party code.
        remedy: advice for a module that cannot be imported.

    Raises:
        GraphInvalid: the module cannot be imported, has no such name, or it is not a torch module.
    """
    module_path, _, name = path.rpartition(".")
    try:
        module = load(module_path)
    except (Exception, SystemExit) as error:  # importing a third-party module may raise anything
        raise GraphInvalid(
            f"Node class '{path}': the module '{module_path}' cannot be imported "
            f"({readable(f'{type(error).__name__}: {error}')}). {remedy}"
        ) from error
    found = getattr(module, name, None)
    if found is None:
        raise GraphInvalid(f"Node class '{path}': the module '{module_path}' has no '{name}'.")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise GraphInvalid(
            f"Node class '{path}': '{name}' is not a torch module class; expected a node class."
        )
    return found
