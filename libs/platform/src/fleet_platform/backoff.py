"""Exponential backoff."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Pauses between attempts, each twice as long as the one before, up to a maximum.

    Does not sleep itself, so that the caller decides how the pause can be interrupted.

    >>> backoff = Backoff(first_s=0.5, max_s=1.5)
    >>> [backoff.next_s() for _ in range(3)]
    [0.5, 1.0, 1.5]
    """

    first_s: float
    """Pause after the first failed attempt, in seconds."""

    max_s: float
    """Longest pause, in seconds."""

    attempts: int = field(default=0, init=False)
    """Failed attempts since the start or the last `reset`."""

    _pause_s: float = field(default=0.0, init=False)

    def next_s(self) -> float:
        """Count a failed attempt and return the pause before the next one."""
        self.attempts += 1
        doubled_s = 2 * self._pause_s if self._pause_s else self.first_s
        self._pause_s = min(doubled_s, self.max_s)
        return self._pause_s

    def reset(self) -> None:
        """Start again with the first pause, after a success."""
        self.attempts = 0
        self._pause_s = 0.0
