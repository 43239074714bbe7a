"""What ``cuvis-fleet`` ends with."""

from enum import IntEnum

from cuvis_fleet import errors


class ExitCode(IntEnum):
    """The exit codes; `MEANINGS` says what each tells."""

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
    ExitCode.FAILED: "a check of `doctor` failed, or something without a code of its own did",
    ExitCode.USAGE: "the command line itself is wrong",
    ExitCode.INVALID_INPUT: "something that was given is malformed or does not fit",
    ExitCode.NOT_FOUND: "no such pipeline, configuration, file of the server, or session",
    ExitCode.OUT_OF_ORDER: "something else has to be done first",
    ExitCode.EXHAUSTED: "too large, too much at once, or no memory or space left on the server",
    ExitCode.NOT_ALLOWED: "the server does not know who calls, or does not let them in",
    ExitCode.CONFLICT: "somebody else changed the same session at the same time",
    ExitCode.UNAVAILABLE: "no server answers, or it lacks a part",
    ExitCode.TIMED_OUT: "no answer within `--timeout`",
    ExitCode.CANCELLED: "the training was stopped",
    ExitCode.NOT_IMPLEMENTED: "the server lacks the method, or a program that it takes",
    ExitCode.SERVER_DEFECT: "an error of the server; its log has it under the trace id",
    ExitCode.FILE: "a file of this machine cannot be read or written",
    ExitCode.MISSING: "a library or program that the command needs is not installed",
    ExitCode.INTERRUPTED: "Ctrl-C; a training that was followed goes on",
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
"""The exit code of each kind of failed call; those not listed are `ExitCode.FAILED`."""
