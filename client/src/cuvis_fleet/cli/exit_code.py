"""The exit codes of ``cuvis-fleet``."""

from enum import IntEnum

from cuvis_fleet import errors


class ExitCode(IntEnum):
    """An exit code; `MEANINGS` describes each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INVALID_INPUT = 3
    NOT_FOUND = 4
    OUT_OF_ORDER = 5
    EXHAUSTED = 6
    NOT_ALLOWED = 7
    CONFLICT = 8
    UNAVAILABLE = 9
    TIMED_OUT = 10
    CANCELLED = 11
    NOT_IMPLEMENTED = 12
    SERVER_DEFECT = 13
    FILE = 14
    MISSING = 15
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "a check of `doctor` failed, or an error without a specific code",
    ExitCode.USAGE: "the command line is invalid",
    ExitCode.INVALID_INPUT: "part of the input is malformed or inconsistent",
    ExitCode.NOT_FOUND: "the pipeline, configuration, session or file on the server does not exist",
    ExitCode.OUT_OF_ORDER: "another command must be run first",
    ExitCode.EXHAUSTED: "a request is too large, or the server lacks capacity, memory or storage",
    ExitCode.NOT_ALLOWED: "the caller is not authenticated or not authorized",
    ExitCode.CONFLICT: "another caller changed the same session concurrently",
    ExitCode.UNAVAILABLE: "no server answers, or one of its services is not available",
    ExitCode.TIMED_OUT: "no answer within `--timeout`",
    ExitCode.CANCELLED: "the training was stopped",
    ExitCode.NOT_IMPLEMENTED: "the server lacks the method, or a program that it needs",
    ExitCode.SERVER_DEFECT: "an internal server error; the server's log contains the trace id",
    ExitCode.FILE: "a local file cannot be read or written",
    ExitCode.MISSING: "a library or program that the command needs is not installed",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; a followed training continues",
}

CODE_OF_ERROR: dict[type[errors.CuvisFleetError], ExitCode] = {
    errors.InvalidInput: ExitCode.INVALID_INPUT,
    errors.NotFound: ExitCode.NOT_FOUND,
    errors.OutOfOrder: ExitCode.OUT_OF_ORDER,
    errors.Exhausted: ExitCode.EXHAUSTED,
    errors.NotAllowed: ExitCode.NOT_ALLOWED,
    errors.Conflict: ExitCode.CONFLICT,
    errors.Unavailable: ExitCode.UNAVAILABLE,
    errors.TimedOut: ExitCode.TIMED_OUT,
    errors.Cancelled: ExitCode.CANCELLED,
    errors.Unimplemented: ExitCode.NOT_IMPLEMENTED,
    errors.ServerDefect: ExitCode.SERVER_DEFECT,
}
"""The exit code for each kind of failed call; others exit with `ExitCode.FAILED`."""
