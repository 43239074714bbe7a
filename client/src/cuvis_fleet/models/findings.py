"""The result of validating a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """The errors and warnings of a configuration.

    Attributes:
        valid: whether there are no errors.
        errors: each as ``place: problem``.
        warnings: problems that do not make the configuration invalid.
    """

    valid: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
