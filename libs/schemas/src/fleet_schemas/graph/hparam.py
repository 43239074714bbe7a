"""A hyperparameter of a node class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HPARAMS_OF_EVERY_NODE = frozenset({"name", "execution_stages"})
"""Hyperparameters that need no declaration."""


@dataclass(frozen=True, slots=True)
class Hparam:
    """A hyperparameter that a class declares.

    Attributes:
        schema: JSON schema of its values.
        required: whether it must be given.
        default: default value; None if it is required.
    """

    schema: Mapping[str, Any]
    required: bool
    default: Any = None
