"""Resolves a config: finds, composes and overrides it, resolves references and validates it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import version
from hydra.core.override_parser.types import Override

from fleet_config.editing import ConfigEditor, Place
from fleet_config.hydra_composition import Composition, compose
from fleet_config.lookup import ConfigLookup
from fleet_config.override import parse_overrides
from fleet_config.reference import resolve_references
from fleet_config.yaml_file import YamlFiles
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.rpc import Call, acquire_slot
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.catalogue import spans
from fleet_schemas import ConfigModel, config_type, validate_config

_MAX_WAIT_S = 10.0
_RETRY_AFTER_S = 1
_tracer = tracer(spans.COMPOSE.scope)
_HYDRA_BASE = "1.3"  # composition rules, independent of the installed release of Hydra


class ConfigResolver:
    """Turns a path and overrides into a validated config.

    Creating a resolver sets Hydra's process-wide version base. Parsing and composition hold a lock:
    one config is composed at a time.
    """

    def __init__(self, lookup: ConfigLookup) -> None:
        self._lookup = lookup
        self._files = YamlFiles()
        version.setbase(_HYDRA_BASE)
        # Hydra's parser shares tables between threads and does not document that this is safe.
        self._hydra = threading.Lock()

    def resolve(
        self,
        kind: str,
        path: str,
        search_paths: Sequence[str],
        overrides: Sequence[str],
        call: Call,
    ) -> dict[str, Any]:
        """Return the config as JSON values, with defaults filled in.

        Args:
            kind: name of the schema, as in `fleet_schemas.CONFIG_TYPES`.
            path: the config, as the client sent it.
            search_paths: the session's, absolute.
            overrides: in Hydra's grammar.
            call: limits how long this may wait.

        Raises:
            InvalidInput: unknown kind, or an invalid path, override or file; the text names it.
            NotFound: no such config.
            Exhausted: other calls held the lock for too long.
            Cancelled, DeadlinePassed: the caller is no longer waiting; nothing was resolved.
        """
        model = config_type(kind)
        file = self._lookup.find(kind, path, search_paths)
        with _tracer.start_as_current_span(spans.COMPOSE.name):
            composition = self._compose(file, search_paths, overrides, call)
        return _finish(composition, kind, model).to_dict()

    def _compose(
        self,
        file: Path,
        search_paths: Sequence[str],
        overrides: Sequence[str],
        call: Call,
    ) -> Composition:
        roots = self._lookup.roots(search_paths)
        root = next((root for root in roots if file.is_relative_to(root)), file.parent)
        name = file.relative_to(root).with_suffix("").as_posix()
        busy = Exhausted(
            f"Too many configs are being resolved at once; try again in {_RETRY_AFTER_S} s.",
            retry_after_s=_RETRY_AFTER_S,
        )
        with acquire_slot(self._hydra, call, limit_s=_MAX_WAIT_S, busy=busy):
            parsed = parse_overrides(overrides)
            ordered = [root, *(other for other in roots if other != root)]
            return compose(name, ordered, parsed, self._files)


def _finish(composition: Composition, kind: str, model: type[ConfigModel]) -> ConfigModel:
    place = _place_of(composition, kind, model)
    written = _override(_at(composition.tree, place), composition, kind, model)
    try:
        return validate_config(model, resolve_references(composition.tree, place), kind)
    except InvalidInput as error:
        chosen: list[tuple[Override, list[Place]]] = [
            (each, [tuple(each.key_or_group.split("/"))]) for each in composition.group_overrides
        ]
        culprits = [
            f"'{override.input_line}'"
            for override, places in chosen + written
            if any(".".join((kind, *place)) in error.text for place in places)
        ]
        if not culprits:
            raise
        raise InvalidInput(f"{error.text} Set by override {', '.join(culprits)}.") from error


def _override(
    config: dict[str, Any], composition: Composition, kind: str, model: type[ConfigModel]
) -> list[tuple[Override, list[Place]]]:
    prefixes = [composition.package] if composition.package else []
    if kind not in model.model_fields:
        prefixes.append((kind,))
    editor = ConfigEditor(config, model, prefixes)
    return [(override, editor.apply(override)) for override in composition.value_overrides]


def _place_of(composition: Composition, kind: str, model: type[ConfigModel]) -> Place:
    """Return the path of the requested config in the tree: packages may nest it at any depth."""
    place = composition.package
    node = _at(composition.tree, place)
    while True:
        inner = node.get(kind)
        if isinstance(inner, dict) and _fit(inner, model) > _fit(node, model):
            step = kind
        elif len(node) == 1 and not _fit(node, model):
            step = next(iter(node))
        else:
            return place
        if not isinstance(node[step], dict):
            return place
        place, node = (*place, step), node[step]


def _fit(node: dict[str, Any], model: type[ConfigModel]) -> int:
    return len(model.model_fields.keys() & node.keys())


def _at(tree: dict[str, Any], place: Place) -> dict[str, Any]:
    node: Any = tree
    for part in place:
        node = node[part] if isinstance(node, dict) and part in node else {}
    return node if isinstance(node, dict) else {}
