"""When a call is made again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how often a call that may be repeated is repeated.

    The pauses are drawn evenly from zero to a bound that doubles ("full jitter"), so that clients
    that lost the same server do not come back in step. Where the server says when to come back,
    that is obeyed. A call's own deadline bounds all its attempts together.

    Attributes:
        first_s: bound of the first pause.
        most_s: largest bound of a pause.
        within_s: no attempt begins later than this after the first one; for a training: after the
            newest message.
    """

    first_s: float = 0.1
    most_s: float = 5.0
    within_s: float = 60.0

    def pause_s(self, failures: int) -> float:
        """Draw the pause after so many failures, from 1."""
        bound_s = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return random.uniform(0.0, bound_s)  # noqa: S311  (spreads load, guards nothing)
