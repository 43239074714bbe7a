"""Node classes of other packages: from which of them a pipeline may name a class."""

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType

from torch import nn

from fleet_engine.graph.errors import GraphInvalid

_allowed: tuple[str, ...] = ()


def allow_node_packages(prefixes: Iterable[str]) -> None:
    """Let pipelines name node classes below these dotted prefixes, and below no others.

    To be called by a process's composition root before the first pipeline is built; no prefix,
    where nobody calls it. A class below a prefix is code that will run, so the operator alone says
    which there are.

    Args:
        prefixes: packages, modules or single classes, such as ``lab`` or ``lab.nodes.Smooth``.
    """
    global _allowed  # noqa: PLW0603  (a setting of the process)
    _allowed = tuple(prefixes)


def is_allowed(path: str) -> bool:
    """Whether a class path is below one of the allowed prefixes."""
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in _allowed)


def import_node_class(
    path: str,
    load: Callable[[str], ModuleType] = importlib.import_module,
    readable: Callable[[str], str] = str,
    remedy: str = "Install it in the trainer and inference services.",
) -> type[nn.Module]:
    """Import a class that is allowed.

    Args:
        path: dotted path of the class.
        load: imports a module by its dotted path.
        readable: makes what foreign code says fit for the caller's eyes.
        remedy: what helps when the module cannot be imported.

    Raises:
        GraphInvalid: the module cannot be imported, has no such name, or it is no torch module.
    """
    module_path, _, name = path.rpartition(".")
    try:
        module = load(module_path)
    except (Exception, SystemExit) as error:  # whatever a foreign module does when it is imported
        raise GraphInvalid(
            f"Node class '{path}': the module '{module_path}' cannot be imported "
            f"({readable(f'{type(error).__name__}: {error}')}). {remedy}"
        ) from error
    found = getattr(module, name, None)
    if found is None:
        raise GraphInvalid(f"Node class '{path}': the module '{module_path}' has no '{name}'.")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise GraphInvalid(
            f"Node class '{path}': '{name}' is no class of torch modules; needed: a node class."
        )
    return found
