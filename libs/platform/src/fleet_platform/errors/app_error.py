"""The exceptions that domain code raises."""

from typing import ClassVar

from fleet_platform.errors.reason import Reason


class AppError(Exception):
    """A failure with a text that is safe and useful to show to the caller.

    The text says what is wrong, where, and what would be right. It never holds a server path that
    the caller did not send, a secret, or a driver's own words.
    """

    reason: ClassVar[Reason] = Reason.DEFECT

    def __init__(self, *args: object, retry_after_s: float | None = None) -> None:
        """Say what is wrong.

        Args:
            *args: the text alone.
            retry_after_s: seconds after which the same call may well succeed; None: nobody knows,
                or it never will as it is.
        """
        super().__init__(*args)
        self.retry_after_s = retry_after_s

    @property
    def text(self) -> str:
        """The sentence for the caller."""
        return str(self.args[0]) if self.args else self.reason.value


class InvalidInput(AppError):
    """Malformed or missing input: wrong rank, dtype, channels, unknown class, bad config, path."""

    reason = Reason.INVALID_INPUT


class NotFound(AppError):
    """A session, file or artifact that the caller named does not exist."""

    reason = Reason.NOT_FOUND


class OutOfOrder(AppError):
    """The call is right but comes too early; the text names the call to make first."""

    reason = Reason.OUT_OF_ORDER


class Exhausted(AppError):
    """A bound was reached: message size, queue length, memory, space on the volume."""

    reason = Reason.EXHAUSTED


class DependencyDown(AppError):
    """The store, the artifact volume or a peer does not answer; the call may be repeated."""

    reason = Reason.DEPENDENCY_DOWN


class Conflict(AppError):
    """Another call changed the same record at the same time and the bounded retries are used up."""

    reason = Reason.CONFLICT


class Cancelled(AppError):
    """The work ended because the caller asked for it."""

    reason = Reason.CANCELLED


class DeadlinePassed(AppError):
    """The caller's deadline has passed, so the rest of the work is not done."""

    reason = Reason.DEADLINE_PASSED
