"""Reads and writes configs as YAML, with limits and without code execution."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown
from fleet_schemas.config_model import MAX_DEPTH, ConfigModel, check_json

MAX_VALUES = 100_000


def parse_yaml(raw: bytes, what: str) -> dict[str, Any]:
    """Read a mapping of JSON values; an empty file is an empty mapping.

    Args:
        raw: content of the file.
        what: its name, the subject of the error texts.

    Raises:
        InvalidInput: the content is not UTF-8, not YAML, not a mapping, nested too deeply, contains
            values other than JSON values, or more than 100 000 of them including aliases.
    """
    try:
        content = _load(raw.decode())
        if content is None:
            content = {}
        if not isinstance(content, dict):
            raise InvalidInput(f"{what} must be a mapping of keys to values.")
        check_json(content, what)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8 at byte {error.start}.") from error
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        where = f" at line {place.line + 1}, column {place.column + 1}" if place else ""
        raise InvalidInput(f"{what} is not YAML: {error.problem}{where}.") from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{what} is not YAML.") from error
    except RecursionError as error:
        raise InvalidInput(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error
    return content


def to_yaml(config: ConfigModel | Mapping[str, Any]) -> bytes:
    """Return the config as UTF-8 YAML without sorting keys."""
    plain = config.to_dict() if isinstance(config, ConfigModel) else dict(config)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).encode()


class _Loader(yaml.CSafeLoader):
    """A YAML loader like OmegaConf's: ``1e-6`` is a number, dates are text, keys are unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        problem=f"the key '{key.value}' is a duplicate",
                        problem_mark=key.start_mark,
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep=deep)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:  # PyYAML trusts explicit tags
            raise yaml.constructor.ConstructorError(
                problem=f"'{shown(node.value)}' is not a valid {node.tag.rpartition(':')[2]}",
                problem_mark=node.start_mark,
            ) from error


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.[\d_]*|\d[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+0123456789."),
)
_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in _Loader.yaml_implicit_resolvers.items()
}


def _load(text: str) -> Any:
    _refuse_depth(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_depth(text: str) -> None:
    """Refuse nesting that would overflow the stack of libyaml's composer and kill the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise yaml.constructor.ConstructorError(
                    problem=f"it is nested deeper than {MAX_DEPTH} levels",
                    problem_mark=event.start_mark,  # type: ignore[arg-type]  # serves as well
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """Count the values of expanded aliases without expanding them."""
    known = counted.get(id(node))
    if known is not None:
        return known
    counted[id(node)] = MAX_VALUES + 1  # visited again before it is counted: it contains itself
    total = 1 + sum(_count(child, counted) for child in _children(node))
    if total > MAX_VALUES:
        raise yaml.constructor.ConstructorError(
            problem=f"it contains itself or more than {MAX_VALUES} values",
            problem_mark=node.start_mark,
        )
    counted[id(node)] = total
    return total


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
