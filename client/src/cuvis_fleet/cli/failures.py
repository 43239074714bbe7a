"""Failures as a line of text or a JSON object, and their exit codes."""

import re
from dataclasses import dataclass

from cuvis_fleet.cli.exit_code import CODE_OF_ERROR, ExitCode
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.extras import MissingExtra
from cuvis_fleet.formats import SceneFileError

_TRANSPORT_TEXT = re.compile(r" \((failed to connect|connections to all backends failing).*\)$")
"""Transport details after an explanation; only tracebacks show them."""

_CODES = (
    (SceneFileError, ExitCode.FILE),
    (MissingExtra, ExitCode.MISSING),
    (ValueError, ExitCode.INVALID_INPUT),
)


class CommandFailed(Exception):
    """A command failed.

    Attributes:
        code: the exit code.
    """

    def __init__(self, text: str, code: ExitCode) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class FailureReport:
    """The description of an exception.

    Attributes:
        kind: name of the exception class.
        text: the problem and its remedy, on one line.
        code: the exit code.
        method: name of the method whose call failed; None: no call failed.
        trace_id: identifies the failed call in the server's logs; None: no call failed.
    """

    kind: str
    text: str
    code: ExitCode
    method: str | None = None
    trace_id: str | None = None

    @classmethod
    def of(cls, error: Exception) -> "FailureReport":
        """Describe an exception."""
        kind = type(error).__name__
        if isinstance(error, CuvisFleetError) and error.method:
            code = CODE_OF_ERROR.get(type(error), ExitCode.FAILED)
            text = f"{error.method}: {_TRANSPORT_TEXT.sub('', error.text)}"
            if code is ExitCode.SERVER_DEFECT:
                text += f" (trace id {error.trace_id})"
            return cls(kind, _one_line(text), code, error.method, error.trace_id)
        text, code = _local_failure(error)
        return cls(kind, _one_line(text), code)

    @property
    def document(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "error": {
                "kind": self.kind,
                "text": self.text,
                "exit_code": int(self.code),
                "method": self.method,
                "trace_id": self.trace_id,
            }
        }


def _local_failure(error: Exception) -> tuple[str, ExitCode]:
    """Return the text and exit code of an error that is not a failed call."""
    if isinstance(error, CommandFailed):
        return str(error), error.code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", ExitCode.FILE
    for kind, code in _CODES:
        if isinstance(error, kind):
            return str(error), code
    text = f"unexpected {type(error).__name__}: {error}; --debug prints the traceback"
    return text, ExitCode.FAILED


def _one_line(text: str) -> str:
    return " ".join(text.split())
