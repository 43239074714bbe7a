"""What is wrong with a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """The outcome of a check.

    Attributes:
        valid: whether there are no errors.
        errors: each as ``where: what``.
        warnings: what is accepted but doubtful.
    """

    valid: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
