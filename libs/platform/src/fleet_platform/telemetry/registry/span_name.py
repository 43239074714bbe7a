"""What is known of a span before it is made."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanName:
    """One kind of span.

    Attributes:
        name: its name; ``{part}`` stands for what differs from span to span.
        scope: the tracer that makes it; "" for those of the gateway.
        meaning: what it covers, in one sentence.
        services: who makes it.
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
        """Whether a span of this name is one of these."""
        return self._pattern.fullmatch(name) is not None
