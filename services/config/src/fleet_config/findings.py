"""The result of validating a config."""

from dataclasses import dataclass, field

_MAX_FINDINGS = 50


@dataclass
class Findings:
    """Errors and warnings about a config, at most about fifty of each.

    Attributes:
        errors: reasons why the config is unusable, each starting with the path of the value.
        warnings: accepted but probably unintended values.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def wants_errors(self) -> bool:
        """Whether more errors may be added."""
        return len(self.errors) < _MAX_FINDINGS

    @property
    def wants_warnings(self) -> bool:
        """Whether more warnings may be added."""
        return len(self.warnings) < _MAX_FINDINGS
