"""What went wrong, as one line for people or one object for programs, and its exit code."""

import re
from dataclasses import dataclass

from cuvis_fleet.cli.exit_code import CODE_OF_ERROR, ExitCode
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.extras import MissingExtra
from cuvis_fleet.formats import SceneFileError

_TRANSPORT_TEXT = re.compile(r" \((failed to connect|connections to all backends failing).*\)$")
"""What follows an explanation; tracebacks have it."""

_CODES = (
    (SceneFileError, ExitCode.FILE),
    (MissingExtra, ExitCode.MISSING),
    (ValueError, ExitCode.INVALID_INPUT),
)


class CommandFailed(Exception):
    """A command cannot do what it was asked for.

    Attributes:
        code: to end with.
    """

    def __init__(self, text: str, code: ExitCode) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class FailureReport:
    """What is told of an exception.

    Attributes:
        kind: name of the exception.
        text: one line: what is wrong, and what would be right.
        code: to end with.
        method: of the call that failed; None: none did.
        trace_id: under which the server's logs have the call; None: no call failed.
    """

    kind: str
    text: str
    code: ExitCode
    method: str | None = None
    trace_id: str | None = None

    @classmethod
    def of(cls, error: Exception) -> "FailureReport":
        """Read an exception."""
        kind = type(error).__name__
        if isinstance(error, CuvisFleetError) and error.method:
            code = CODE_OF_ERROR.get(type(error), ExitCode.FAILED)
            text = f"{error.method}: {_TRANSPORT_TEXT.sub('', error.text)}"
            if code is ExitCode.SERVER_DEFECT:
                text += f" (trace id {error.trace_id})"
            return cls(kind, _one_line(text), code, error.method, error.trace_id)
        text, code = _of_this_machine(error)
        return cls(kind, _one_line(text), code)

    @property
    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "error": {
                "kind": self.kind,
                "text": self.text,
                "exit_code": int(self.code),
                "method": self.method,
                "trace_id": self.trace_id,
            }
        }


def _of_this_machine(error: Exception) -> tuple[str, ExitCode]:
    """Text and exit code of an error that no call to a server made."""
    if isinstance(error, CommandFailed):
        return str(error), error.code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", ExitCode.FILE
    for kind, code in _CODES:
        if isinstance(error, kind):
            return str(error), code
    text = f"unexpected {type(error).__name__}: {error}; --debug shows where"
    return text, ExitCode.FAILED


def _one_line(text: str) -> str:
    return " ".join(text.split())
