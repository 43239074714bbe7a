"""A caller as the domain sees it, who waits as long as a test wants."""

from fleet_platform.errors import Cancelled, DeadlinePassed


class WaitingCall:
    """Replaces `fleet_platform.rpc.Call`, which tests with a real server cover."""

    def __init__(self, left_s: float | None = None) -> None:
        """Wait for `left_s` seconds by the clock of the waiting itself; None: without end."""
        self.left_s = left_s
        self.has_left = False
        self.checks = 0
        self.request_metadata: dict[str, str] = {}
        self.answered: dict[str, str] = {}

    def metadata(self, key: str) -> str | None:
        return self.request_metadata.get(key)

    def send_initial_metadata(self, key: str, value: str) -> None:
        self.answered[key] = value

    def remaining_s(self) -> float | None:
        return self.left_s

    def max_wait_s(self, limit_s: float) -> float:
        return limit_s if self.left_s is None else min(self.left_s, limit_s)

    def is_active(self) -> bool:
        return not self.has_left and self.left_s != 0

    def check(self) -> None:
        self.checks += 1
        if self.left_s == 0:
            raise DeadlinePassed("The deadline of the call has passed.")
        if self.has_left:
            raise Cancelled("The caller has left.")
