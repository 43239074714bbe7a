"""Parses overrides in Hydra's grammar and rejects those that reach beyond the config."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from fleet_config.reference import check_plain
from fleet_platform.errors import InvalidInput

MAX_OVERRIDES_CHARS = 32 * 1024
MAX_OVERRIDE_CHARS = 8 * 1024


def parse_overrides(texts: Sequence[str]) -> list[Override]:
    """Parse overrides such as ``data.batch_size=4``, ``+tags.site=lab`` or ``~training``.

    Raises:
        InvalidInput: an override is too long, does not follow the grammar, is a sweep, sets one of
            Hydra's own settings, or has a value that is not plain data; the text names it.
    """
    length = sum(map(len, texts))
    if length > MAX_OVERRIDES_CHARS:
        raise InvalidInput(
            f"the overrides have {length} characters; the limit is {MAX_OVERRIDES_CHARS}."
        )
    parser = OverridesParser.create()
    return [_parse(parser, text) for text in texts]


def _parse(parser: OverridesParser, text: str) -> Override:
    what = f"override '{text[:200]}'"
    if len(text) > MAX_OVERRIDE_CHARS:  # the parser's time grows with the square of the length
        raise InvalidInput(f"{what} has {len(text)} characters; the limit is {MAX_OVERRIDE_CHARS}.")
    try:
        override = parser.parse_override(text)
        value = None if override.is_sweep_override() else override.value()
    except (HydraException, ValueError, TypeError, AssertionError) as error:
        raise InvalidInput(
            f"{what} is not in Hydra's grammar. Write key=value, +key=value to add a key, or ~key "
            "to delete one; quote values that contain special characters."
        ) from error
    except RecursionError as error:
        raise InvalidInput(f"{what} is nested too deeply.") from error
    if override.is_sweep_override():
        raise InvalidInput(
            f"{what} asks for several values at once. Write a list as key=[a,b], or quote it."
        )
    key = override.key_or_group
    if not key:
        raise InvalidInput(f"{what} has no key. Write key=value.")
    if key == "hydra" or key.startswith(("hydra.", "hydra/")):
        raise InvalidInput(f"{what} is refused: Hydra's own settings belong to the server.")
    check_plain(dict.fromkeys(key.split(".")), what)
    check_plain(value, what)
    return override
