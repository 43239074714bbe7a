"""A configuration that the server composed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cuvis_fleet.errors import WrongArgument


@dataclass(frozen=True)
class ResolvedConfig:
    """A configuration file with its defaults and overrides.

    Attributes:
        raw: UTF-8 JSON, as the server sent it.
    """

    raw: bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        """The same as a dictionary. What is changed in it does not reach `raw`."""
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed


Config = ResolvedConfig | Mapping[str, Any]
"""What calls take: a configuration as the server resolved it, or a mapping of one's own."""


def config_bytes(config: Config) -> bytes:
    """The JSON of a configuration.

    Raises:
        WrongArgument: it holds what JSON does not.
    """
    if isinstance(config, ResolvedConfig):
        return config.raw
    try:
        return json.dumps(config).encode()
    except (TypeError, ValueError) as error:
        raise WrongArgument(
            f"the configuration cannot be written as JSON ({error}); use plain numbers, texts,"
            " lists and dictionaries"
        ) from error
