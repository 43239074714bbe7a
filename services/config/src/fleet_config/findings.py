"""What was found wrong with a config."""

from dataclasses import dataclass, field

_MAX_FINDINGS = 50


@dataclass
class Findings:
    """What was found; more than fifty of one kind nobody reads.

    Attributes:
        errors: what makes the config unusable, each beginning with its place.
        warnings: what is accepted but doubtful.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def wants_errors(self) -> bool:
        """Whether there is room for another error."""
        return len(self.errors) < _MAX_FINDINGS

    @property
    def wants_warnings(self) -> bool:
        """Whether there is room for another warning."""
        return len(self.warnings) < _MAX_FINDINGS
