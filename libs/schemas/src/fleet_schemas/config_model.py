"""Base class of all config models."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

MAX_DEPTH = 64


class ConfigModel(BaseModel):
    """An immutable config without undeclared keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the config as JSON values in its original shape, including defaults."""
        return self.model_dump(mode="json")


def check_json(value: Any, what: str) -> None:
    """Refuse values that JSON text cannot transport between services unchanged.

    Args:
        value: a value from a JSON or YAML reader.
        what: its name, the first part of the path in the error text.

    Raises:
        ValueError: a value is not finite, not a JSON type, not encodable, or nested deeper than 64;
            the text begins with its path.
    """
    pending: list[tuple[str, Any, int]] = [(what, value, 0)]
    while pending:
        path, item, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"{what}: nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, float) and not math.isfinite(item):
            raise ValueError(f"{path}: {item} is not a finite number")
        if isinstance(item, str):
            _check_text(item, path)
        elif isinstance(item, Mapping | list | tuple):
            pending.extend(
                (f"{path}.{key}", child, depth + 1) for key, child in _children(item, path)
            )
        elif not isinstance(item, bool | int | float | None):
            raise ValueError(f"{path}: a {type(item).__name__} is not a JSON value")  # noqa: TRY004


def _children(item: Any, path: str) -> Iterator[tuple[Any, Any]]:
    if not isinstance(item, Mapping):
        yield from enumerate(item)
        return
    for key, child in item.items():
        if not isinstance(key, str):
            raise ValueError(f"{path}: the key {key!r} must be a string")  # noqa: TRY004
        _check_text(key, path)
        yield key, child


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{path}: the text contains an unpaired surrogate") from error


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    check_json(value, "value")
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_checked)]
"""A mapping that JSON text can transport unchanged."""
