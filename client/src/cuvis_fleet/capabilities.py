"""What a training may be made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """What training configurations of the server may name.

    Attributes:
        optimizers: by name.
        schedulers: of the learning rate, by name.
        callbacks: by name.
    """

    optimizers: tuple[str, ...]
    schedulers: tuple[str, ...]
    callbacks: tuple[str, ...]
