"""When a call is repeated."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter for calls that are safe to repeat.

    Each pause is drawn uniformly between zero and a limit that doubles, so that clients that lost
    the same server do not reconnect at the same time. A delay that the server requests is added. A
    call's own deadline covers all its attempts together.

    Attributes:
        first_s: upper limit of the first pause.
        most_s: upper limit of any pause.
        within_s: an attempt starts at most this long after the first one; for a training, after
            the newest message.
    """

    first_s: float = 0.1
    most_s: float = 5.0
    within_s: float = 60.0

    def pause_s(self, failures: int) -> float:
        """Return a random pause before the next attempt; `failures` counts from 1."""
        bound_s = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return random.uniform(0.0, bound_s)  # noqa: S311  (spreads load, not security)
