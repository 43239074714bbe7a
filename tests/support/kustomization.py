"""Renders kustomizations that use only the features of this project's own."""

import re
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

Object = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "resources", "components", "patches", "images"}


def render(folder: Path) -> list[Object]:
    """All objects of a kustomization, in no particular order.

    Raises:
        ValueError: it uses what is not known here, or a patch fits nothing.
    """
    return _apply(folder, [])


def _apply(folder: Path, objects: list[Object]) -> list[Object]:
    said = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    if unknown := said.keys() - _KNOWN:
        raise ValueError(f"{folder}: {', '.join(sorted(unknown))} cannot be rendered here.")
    for name in said.get("resources", ()):
        path = folder / name
        objects = [*objects, *(render(path) if path.is_dir() else _documents(path))]
    for name in said.get("components", ()):
        objects = _apply(folder / name, objects)
    for patch in said.get("patches", ()):
        objects = _patched(objects, patch["target"], _operations(folder / patch["path"]))
    for image in said.get("images", ()):
        for each in objects:
            _retag(each, image)
    return objects


def _documents(path: Path) -> list[Object]:
    # Aliases of YAML are one object to Python; patches must not reach all of them at once.
    with path.open(encoding="utf-8") as text:
        return [_without_aliases(each) for each in yaml.safe_load_all(text)]


def _operations(path: Path) -> list[Object]:
    operations = yaml.safe_load(path.read_text(encoding="utf-8"))
    return list(operations)


def _without_aliases(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_aliases(each) for key, each in value.items()}
    return [_without_aliases(each) for each in value] if isinstance(value, list) else value


def _patched(objects: list[Object], target: Object, operations: list[Object]) -> list[Object]:
    def fits(each: Object) -> bool:
        name = each["metadata"]["name"]
        return each["kind"] == target["kind"] and bool(re.fullmatch(target["name"], name))

    if not any(map(fits, objects)):
        raise ValueError(f"There is no {target['kind']} {target['name']} to patch.")
    patch = jsonpatch.JsonPatch(operations)
    return [patch.apply(each) if fits(each) else each for each in objects]


def _retag(each: Object, image: Object) -> None:
    if each["kind"] not in {"Deployment", "StatefulSet"}:
        return
    for container in each["spec"]["template"]["spec"]["containers"]:
        name, _, _tag = container["image"].rpartition(":")
        if name == image["name"]:
            container["image"] = f"{name}:{image['newTag']}"
