"""Resolves references within a config, such as ``${data.batch_size}``, and rejects all others."""

import re
from collections.abc import Mapping
from typing import Any

from fleet_platform.errors import InvalidInput

MISSING = "???"
"""Marks a value that an override must set."""

MAX_EXPANDED = 1_000_000
_PLAIN = re.compile(r"\$\{(\.*)([\w/-]+(?:\.[\w/-]+|\[\w+\])*)\}")
_CODE_KEYS = frozenset({"_target_", "_partial_", "_recursive_", "_convert_", "_args_"})

Place = tuple[str, ...]


def check_plain(value: Any, what: str) -> None:
    """Reject values that would run code or read anything outside the config.

    Raises:
        InvalidInput: a resolver such as ``${oc.env:HOME}``, or a key such as ``_target_``.
    """
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "${" in _PLAIN.sub("", item):
                raise InvalidInput(
                    f"{what}: '{item[:80]}' is refused. Only references to other keys of the same "
                    "config are followed, as in '${data.batch_size}'."
                )
        elif isinstance(item, Mapping):
            named = _CODE_KEYS & item.keys()
            if named:
                raise InvalidInput(
                    f"{what}: the key '{min(named)}' is refused. Configs contain values only; "
                    "nothing is instantiated from them."
                )
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def resolve_references(tree: dict[str, Any], place: Place) -> Any:
    """Return a copy of one part of the config with its references resolved.

    Args:
        tree: the whole config, which references may point into.
        place: path of the requested part.

    Raises:
        InvalidInput: a reference is dangling or circular or expands to too many values, or a
            value is not set.
    """
    node: Any = tree
    for part in place:
        node = _child(node, part, f"the config has no '{'.'.join(place)}'.")
    return _Resolver(tree).resolve(node, place)


class _Resolver:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._open: set[Place] = set()
        self._expanded = 0

    def resolve(self, node: Any, at: Place) -> Any:
        self._spend(1, at)
        if isinstance(node, dict):
            return {key: self.resolve(child, (*at, str(key))) for key, child in node.items()}
        if isinstance(node, list):
            return [self.resolve(child, (*at, str(i))) for i, child in enumerate(node)]
        if isinstance(node, str) and "${" in node:
            return self._substitute(node, at)
        if node == MISSING:
            raise InvalidInput(f"{'.'.join(at)} has no value; set it with an override.")
        return node

    def _substitute(self, text: str, at: Place) -> Any:
        if at in self._open:
            raise InvalidInput(f"{'.'.join(at)}: '{text}' refers to itself.")
        self._open.add(at)
        whole = _PLAIN.fullmatch(text)
        if whole:
            value = self._follow(whole, at)
        else:
            value = _PLAIN.sub(lambda found: str(self._follow(found, at)), text)
            self._spend(len(value), at)
        self._open.discard(at)
        return value

    def _follow(self, found: re.Match[str], at: Place) -> Any:
        dots, path = found[1], re.sub(r"\[(\w+)\]", r".\1", found[2])
        start = at[: len(at) - len(dots)] if dots else ()
        node: Any = self._root
        walked: Place = ()
        for part in (*start, *path.split(".")):
            if isinstance(node, str) and "${" in node:
                node = self._substitute(node, walked)
            node = _child(node, part, f"{'.'.join(at)}: '{found[0]}' refers to a missing key.")
            walked = (*walked, part)
        return self.resolve(node, walked)

    def _spend(self, count: int, at: Place) -> None:
        self._expanded += count
        if self._expanded > MAX_EXPANDED:
            raise InvalidInput(f"{'.'.join(at)}: the references expand to too many values.")


def _child(node: Any, part: str, otherwise: str) -> Any:
    if isinstance(node, dict) and part in node:
        return node[part]
    if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
        return node[int(part)]
    raise InvalidInput(otherwise)
