"""Parses configs sent by clients."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from fleet_platform.errors import Exhausted, InvalidInput
from fleet_schemas.config_model import MAX_DEPTH, ConfigModel, check_json
from fleet_schemas.violations import MAX_NAMED, violations

MAX_CONFIG_SIZE_BYTES = 8 * 1024 * 1024
MAX_DIGITS = 300
"""Maximum number of digits in an integer, slightly fewer than the largest float has."""

ConfigT = TypeVar("ConfigT", bound=ConfigModel)


def parse_config(model: type[ConfigT], raw: bytes, what: str) -> ConfigT:
    """Read a config from UTF-8 JSON.

    Args:
        model: the schema.
        raw: the bytes that the client sent.
        what: name of the config, the first part of each path in the error text.

    Raises:
        InvalidInput: the config is empty, not UTF-8, not JSON, not an object, nested too deeply, or
            violates the schema; the text lists the violations by path.
        Exhausted: it is larger than 8 MiB.
    """
    if not raw:
        raise InvalidInput(f"{what}: the config is empty. Send it as UTF-8 JSON.")
    if len(raw) > MAX_CONFIG_SIZE_BYTES:
        raise Exhausted(
            f"{what}: the config has {len(raw)} bytes; the limit is {MAX_CONFIG_SIZE_BYTES}."
        )
    return validate_config(model, _load_json(raw, what), what)


def validate_config(model: type[ConfigT], content: Any, what: str) -> ConfigT:
    """Create a config from JSON values.

    Raises:
        InvalidInput: the content is not an object, nested too deeply, or violates the schema; the
            text lists the violations by path.
    """
    try:
        return _validated(model, content, what)
    except ValidationError as error:
        _refuse(violations(error, model, what))


def schema_violations(
    model: type[ConfigT], content: Any, what: str = ""
) -> tuple[ConfigT | None, list[str]]:
    """Create a config from JSON values, or list all violations.

    Args:
        model: the schema.
        content: the value from a JSON reader.
        what: name of the config, the first part of each path; empty: paths begin at the keys.

    Returns:
        The config and an empty list, or None and one sentence for each violation.
    """
    try:
        return _validated(model, content, what), []
    except ValidationError as error:
        return None, violations(error, model, what)
    except InvalidInput as error:
        return None, [error.text]


def _validated(model: type[ConfigT], content: Any, what: str) -> ConfigT:
    if not isinstance(content, Mapping):
        kind = "null" if content is None else f"a {type(content).__name__}"
        raise InvalidInput(f"{what or 'config'}: must be a JSON object, got {kind}.")
    try:
        check_json(content, what or "config")
    except ValueError as error:
        raise InvalidInput(f"{error}.") from error
    return model.model_validate(dict(content))


def _load_json(raw: bytes, what: str) -> Any:
    try:
        return json.loads(raw.decode(), parse_int=_integer, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{what}: not UTF-8 at byte {error.start}. Send the config as UTF-8 JSON."
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"{what}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InvalidInput(f"{what}: nested deeper than {MAX_DEPTH} levels.") from error
    except ValueError as error:  # an invalid constant, or a number with thousands of digits
        raise InvalidInput(f"{what}: not JSON: {error}.") from error


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits; the limit is {MAX_DIGITS}")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")


def _refuse(found: list[str]) -> NoReturn:
    named = "; ".join(sentence.removesuffix(".") for sentence in found[:MAX_NAMED])
    more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    raise InvalidInput(f"{named}{more}.")
