"""The declaration of a kind of span."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanName:
    """The declaration of one kind of span.

    Attributes:
        name: name of the span; ``{part}`` is a placeholder for what varies.
        scope: tracer that creates it; empty for spans of the gateway.
        meaning: what it covers, in one sentence.
        services: services that create it.
        attributes: keys of its attributes.
    """

    name: str
    scope: str
    meaning: str
    services: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = re.split(r"\{[^}]*\}", self.name)
        pattern = r"[^/]+".join(re.escape(word) for word in words)
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def covers(self, name: str) -> bool:
        """Return whether a span with this name is of this kind."""
        return self._pattern.fullmatch(name) is not None
