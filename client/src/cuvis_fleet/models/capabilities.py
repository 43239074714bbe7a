"""The training capabilities of a server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """The names that training configurations can use.

    Attributes:
        optimizers: names of the optimizers.
        schedulers: names of the learning-rate schedulers.
        callbacks: names of the callbacks.
    """

    optimizers: tuple[str, ...]
    schedulers: tuple[str, ...]
    callbacks: tuple[str, ...]
