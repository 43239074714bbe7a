"""Configurations that the server resolved."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cuvis_fleet.errors import WrongArgument


@dataclass(frozen=True)
class ResolvedConfig:
    """A configuration with its defaults and overrides applied.

    Attributes:
        raw: UTF-8 JSON as sent by the server.
    """

    raw: bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        """The configuration as a dictionary; changes to it do not change `raw`."""
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed


Config = ResolvedConfig | Mapping[str, Any]
"""A configuration: resolved by the server, or any mapping."""


def config_bytes(config: Config) -> bytes:
    """Return a configuration as JSON.

    Raises:
        WrongArgument: it contains a value that JSON cannot represent.
    """
    if isinstance(config, ResolvedConfig):
        return config.raw
    try:
        return json.dumps(config).encode()
    except (TypeError, ValueError) as error:
        raise WrongArgument(
            f"the configuration cannot be written as JSON ({error}); use plain numbers, strings,"
            " lists and dictionaries"
        ) from error
