"""Applies value overrides to a composed config according to its schema."""

import re
from collections.abc import Iterator
from typing import Any, get_origin

from hydra.core.override_parser.types import Override

from fleet_config.hydra_composition import merged
from fleet_platform.errors import InvalidInput
from fleet_schemas import (
    TRAINER_KEYS,
    ConfigModel,
    NodeConfig,
    PipelineReference,
    TrainingConfig,
    models_in,
    nearest,
)

Place = tuple[str, ...]

_FLAT_ONLY_KEYS = TRAINER_KEYS - {
    "max_epochs",
    "gradient_clip_val",
    "accumulate_grad_batches",
    "callbacks",
}
_MAX_DEPTH = 5


class ConfigEditor:
    """Applies overrides to one config, one at a time."""

    def __init__(
        self, config: dict[str, Any], model: type[ConfigModel], prefixes: list[Place]
    ) -> None:
        """Create an editor that changes `config` in place.

        Args:
            config: values in the shape of `model`.
            model: the schema.
            prefixes: prefixes that clients may put before a key, longest first.
        """
        self._config = config
        self._model = model
        self._prefixes = prefixes

    def apply(self, override: Override) -> list[Place]:
        """Apply one override.

        Returns:
            The paths that were changed.

        Raises:
            InvalidInput: the key is unknown, exists already, is missing or is inside a plain
                value; the text names the override and suggests a correction.
        """
        try:
            places = self._places(override)
            for place in places:
                self._write(place, override)
        except _WrongKey as error:
            raise InvalidInput(f"override '{override.input_line}': {error}") from error
        return places

    def _places(self, override: Override) -> list[Place]:
        if override.package is not None:
            raise _WrongKey(f"there is no config group '{override.key_or_group}'.")
        place: Place = tuple(override.key_or_group.split("."))
        for prefix in self._prefixes:
            if place[: len(prefix)] == prefix and len(place) > len(prefix):
                place = place[len(prefix) :]
                break
        training: Place = () if self._model is TrainingConfig else ("training",)
        is_training = self._model is TrainingConfig or "training" in self._model.model_fields
        if is_training and place[: len(training)] == training:
            return self._training_places(training, place[len(training) :], override)
        return [place]

    def _training_places(self, base: Place, rest: Place, override: Override) -> list[Place]:
        """Return the paths of a trainer setting: nested, flat, or both if both forms are used."""
        nested = rest[:1] == ("trainer",) and len(rest) > 1
        setting = rest[1:] if nested else rest
        if not setting or setting[0] not in TRAINER_KEYS:
            return [base + rest]
        section: Any = self._config
        for part in base:
            section = section.get(part)
        section = section if isinstance(section, dict) else {}
        trainer = section.get("trainer")
        if isinstance(trainer, dict):
            nested = True
        elif _FLAT_ONLY_KEYS & section.keys():
            nested = False
        shapes: list[tuple[Place, Any]] = [((*base, "trainer"), trainer), (base, section)]
        in_use = [
            shape
            for shape, values in shapes
            if isinstance(values, dict)
            and setting[0] in values
            and (values[setting[0]] is not None or override.value() is None)
        ]
        default: Place = (*base, "trainer") if nested else base
        return [shape + setting for shape in in_use or [default]]

    def _write(self, place: Place, override: Override) -> None:
        node: Any = self._config
        annotation: Any = self._model
        for i, part in enumerate(place[:-1]):
            key, annotation = self._key(node, annotation, part, place[: i + 1], override)
            child = _get(node, key)
            if child is None:
                if override.is_delete():
                    raise _WrongKey(f"there is no '{'.'.join(place)}' to delete.")
                child = node[key] = {}
            if not isinstance(child, dict | list):
                raise _WrongKey(f"'{'.'.join(place[: i + 1])}' is {child!r} and has no keys.")
            node = child
        key, _ = self._key(node, annotation, place[-1], place, override)
        _assign(node, key, override, ".".join(place))

    def _key(
        self, node: Any, annotation: Any, part: str, place: Place, override: Override
    ) -> tuple[Any, Any]:
        """Return the key or index that `part` denotes in `node`, and its type annotation."""
        if isinstance(node, list):
            return _index(node, part, place), annotation
        models = list(models_in(annotation))
        if not models:
            if part not in node and not (override.is_add() or override.is_force_add()):
                known = list(node)
                raise _WrongKey(
                    f"'{'.'.join(place[:-1])}' has no '{part}'.{nearest(part, known)} It has: "
                    f"{', '.join(known) or 'nothing'}. Write +{override.input_line} to add it."
                )
            return part, None
        is_reference = PipelineReference in models and "config_path" in node
        model = PipelineReference if is_reference else models[0]
        if model is NodeConfig and part == "params":
            part = "hparams"
        if part not in model.model_fields:
            raise _WrongKey(self._unknown(place))
        return part, model.model_fields[part].annotation

    def _unknown(self, place: Place) -> str:
        known = list(_paths(self._model, (), 0))
        same_end = [path for path in known if path.split(".")[-1] == place[-1]]
        wrong = ".".join(place)
        if same_end:
            return f"there is no '{wrong}'. Did you mean {' or '.join(same_end[:3])}?"
        at_top = ", ".join(self._model.model_fields)
        return f"there is no '{wrong}'.{nearest(wrong, known)} Top-level keys: {at_top}."


class _WrongKey(Exception):
    """An override's key is invalid; the message says why."""


def snake_case(name: str) -> str:
    """Convert a name from camel case to snake case: ``RXGlobal`` -> ``rx_global``."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])|([a-z0-9])([A-Z])", r"\1\3_\2\4", name)
    return words.lower()


def _get(node: Any, key: Any) -> Any:
    return node.get(key) if isinstance(node, dict) else node[key]


def _index(items: list[Any], part: str, place: Place) -> int:
    where = ".".join(place[:-1])
    if part.isdecimal():
        if int(part) < len(items):
            return int(part)
        raise _WrongKey(f"'{where}' has {len(items)} entries, counted from 0.")
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if part in names:
        return names.index(part)
    found = [i for i, item in enumerate(items) if part in _aliases(item)]
    if len(found) == 1:
        return found[0]
    given = [str(name) for name in names if name]
    if found:
        several = ", ".join(given[i] for i in found)
        raise _WrongKey(f"'{part}' in '{where}' is ambiguous: {several}. Give the full name.")
    if given:
        raise _WrongKey(
            f"'{where}' has no '{part}'.{nearest(part, given)} It has: {', '.join(given)}."
        )
    raise _WrongKey(f"'{where}' is a list; '{part}' is not a number from 0 to {len(items) - 1}.")


def _aliases(item: Any) -> set[str]:
    """Return other names for a node: its name in snake case, its class and its module."""
    if not isinstance(item, dict):
        return set()
    module, _, class_name = str(item.get("class_name", "")).rpartition(".")
    name = str(item.get("name", ""))
    return {snake_case(name), class_name, snake_case(class_name), module.rpartition(".")[2]}


def _assign(node: Any, key: Any, override: Override, place: str) -> None:
    exists = isinstance(node, list) or key in node
    value: Any = override.value()
    if override.is_delete():
        if not exists:
            raise _WrongKey(f"there is no '{place}' to delete.")
        if value is not None and value != node[key]:
            raise _WrongKey(f"'{place}' is {node[key]!r}, not {value!r}.")
        del node[key]
        return
    current = node[key] if exists else None
    if override.is_add() and current is not None and not isinstance(value, dict | list):
        raise _WrongKey(f"'{place}' exists already; omit the '+' to change it.")
    node[key] = merged(current, value) if isinstance(value, dict) else value


def _paths(model: type[ConfigModel], above: Place, depth: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        place = (*above, name)
        yield ".".join(place)
        if depth < _MAX_DEPTH and get_origin(field.annotation) is not list:
            for inner in models_in(field.annotation):
                yield from _paths(inner, place, depth + 1)
