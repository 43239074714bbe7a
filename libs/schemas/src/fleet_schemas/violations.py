"""Describes schema violations of configs and how to fix them."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleet_schemas.config_model import ConfigModel

MAX_NAMED = 10
_MAX_VALUE_CHARS = 80


def violations(error: ValidationError, model: type[ConfigModel], what: str) -> list[str]:
    """Return one sentence for each violation, which begins with its path.

    Args:
        error: the validation error.
        model: the validated model.
        what: name of the config, the first part of each path; empty: none.
    """
    found: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        path, owner = _locate(detail["loc"], model)
        place = ".".join(filter(None, [what, *path]))
        sentence = _sentence(detail, owner)
        if sentence not in found.setdefault(place, []):
            found[place].append(sentence)
    return [
        f"{place}: {' or '.join(sentences)}." if place else f"{' or '.join(sentences)}."
        for place, sentences in found.items()
    ]


def nearest(word: str, candidates: list[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the candidate most similar to `word`, if any."""
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def _locate(
    loc: tuple[int | str, ...], model: type[ConfigModel]
) -> tuple[list[str], type[ConfigModel]]:
    """Follow a location through the models and drop pydantic's markers for union members."""
    path: list[str] = []
    owner = model
    annotation: Any = model
    for piece in loc:
        if isinstance(piece, str) and piece.startswith("<"):
            annotation = next(
                (kind for kind in models_in(annotation) if _accepts(kind, piece)), annotation
            )
            continue
        models = list(models_in(annotation))
        if isinstance(piece, int):
            path.append(str(piece))
        elif models:
            owner = models[0]
            path.append(piece)
            field = owner.model_fields.get(piece)
            annotation = field.annotation if field else None
        elif _is_mapping(annotation):
            path.append(piece)
    return path, owner


def models_in(annotation: Any) -> Iterator[type[ConfigModel]]:
    """Yield the models in the annotation of a field, at any nesting."""
    if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def _accepts(model: type[ConfigModel], tag: str) -> bool:
    return (tag == "<reference>") == ("config_path" in model.model_fields)


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(map(_is_mapping, get_args(annotation)))


def _sentence(detail: ErrorDetails, owner: type[ConfigModel]) -> str:
    kind = detail["type"]
    allowed = sorted(owner.model_fields)
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        return f"unknown key.{nearest(key, allowed)} Allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return "missing"
    if kind in {"model_type", "dict_type"}:
        return f"must be an object{_shown(detail['input'])}"
    message = detail["msg"].removeprefix("Value error, ")
    for formal, plain in (("Input should be ", "must be "), ("Input should have ", "must have ")):
        message = message.replace(formal, plain)
    for whole in ("String should", "Tuple should", "List should"):
        message = message.replace(whole, "must")
    # pydantic appends what failed to parse, but the value itself shows that more clearly.
    message, *_ = message.partition(", unable to parse ")
    return f"{message}{_shown(detail['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f", got {'an object' if isinstance(value, dict) else 'a list'}"
    text = repr(value)
    if len(text) > _MAX_VALUE_CHARS:
        text = text[:_MAX_VALUE_CHARS] + "..."
    return f", got {text}"
