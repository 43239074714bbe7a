"""Node classes of other packages: from which of them a pipeline may name a class."""

import importlib
from collections.abc import Iterable

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


def import_node_class(path: str) -> type[nn.Module]:
    """Import an allowed class.

    Args:
        path: dotted path of the class, below an allowed prefix.

    Raises:
        GraphInvalid: the module cannot be imported, has no such name, or it is no torch module.
    """
    module_path, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_path)
    except Exception as error:  # whatever a foreign module does when it is imported
        raise GraphInvalid(
            f"Node class '{path}': the module '{module_path}' cannot be imported "
            f"({type(error).__name__}: {error}). Install it in the trainer and inference services."
        ) from error
    found = getattr(module, name, None)
    if found is None:
        raise GraphInvalid(f"Node class '{path}': the module '{module_path}' has no '{name}'.")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise GraphInvalid(
            f"Node class '{path}': '{name}' is no class of torch modules; needed: a node class."
        )
    return found
