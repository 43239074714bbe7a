"""The exceptions that domain code raises."""

from typing import ClassVar

from fleet_platform.errors.reason import Reason


class AppError(Exception):
    """A failure with a text that is safe and useful to show to the caller.

    The text says what is wrong, where, and what would be right. It never contains a server path
    that the caller did not send, a secret, or the text of a driver's error.
    """

    reason: ClassVar[Reason] = Reason.DEFECT

    def __init__(self, *args: object, retry_after_s: float | None = None) -> None:
        """Create an error.

        Args:
            *args: The text, as the only argument.
            retry_after_s: Seconds after which the same call is likely to succeed; None: unknown,
                or only after a change.
        """
        super().__init__(*args)
        self.retry_after_s = retry_after_s

    @property
    def text(self) -> str:
        """The message for the caller."""
        return str(self.args[0]) if self.args else self.reason.value


class InvalidInput(AppError):
    """Malformed or missing input: wrong rank, dtype, channels, unknown class, bad config, path."""

    reason = Reason.INVALID_INPUT


class NotFound(AppError):
    """A session, file or artifact that the caller named does not exist."""

    reason = Reason.NOT_FOUND


class OutOfOrder(AppError):
    """The call is valid but too early; the text names the call to make first."""

    reason = Reason.OUT_OF_ORDER


class Exhausted(AppError):
    """A limit was reached: message size, queue length, memory, space on the volume."""

    reason = Reason.EXHAUSTED


class DependencyDown(AppError):
    """The store, the artifact volume or a peer does not answer; the call may be repeated."""

    reason = Reason.DEPENDENCY_DOWN


class Conflict(AppError):
    """Another call changed the same record at the same time, and all retries failed."""

    reason = Reason.CONFLICT


class Cancelled(AppError):
    """The work ended because the caller cancelled it."""

    reason = Reason.CANCELLED


class DeadlinePassed(AppError):
    """The work ended because the caller's deadline has passed."""

    reason = Reason.DEADLINE_PASSED
