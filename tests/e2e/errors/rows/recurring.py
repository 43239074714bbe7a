"""Errors that several methods tell in the same words."""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from tests.e2e.errors.row import Row, Session, Situation
from tests.support.case import EARLY, MISSING, Fields

NO_SESSION = "0c9cd1b5-5f4f-4b43-a8f5-3c9a0a0e0c0d"
PASSWD = "/etc/passwd"

FREE_TRAINING = "Wait until the stream of `Train` ends, or call `StopTrain`."
LOAD_FIRST = "Call `LoadPipeline`, `SetTrainRunConfig` or `RestoreTrainRun` first."
INSIDE = "Name a file below the session's search paths, the data, output or configuration folder."


def fields(**given: Any) -> Callable[[], Fields]:
    """Fields that are cheap to make."""
    return partial(dict, given)


def row(
    method: str,
    name: str,
    code: grpc.StatusCode,
    text: str,
    remedy: str,
    make: Callable[[], Fields] = dict,
    **options: Any,
) -> Row:
    """A row; see `Row` for the options."""
    return Row(
        name=name, method=method, fields=make, code=code, text=text, remedy=remedy, **options
    )


def unknown_session(method: str, **more: Any) -> Row:
    """A session that does not exist, or not any more, or is another caller's."""
    return row(
        method,
        "unknown or expired session",
        MISSING,
        "Session <session_id> not found. Sessions expire after 1 h without a call; create a new "
        "one with CreateSession.",
        "Call `CreateSession` and set the new session up again.",
        fields(session_id=NO_SESSION, **more),
    )


def no_pipeline(method: str, text: str, **more: Any) -> Row:
    """A session into which no pipeline was loaded."""
    return row(
        method, "no pipeline loaded", EARLY, text, LOAD_FIRST, fields(**more), session=Session.NEW
    )


def training_runs(method: str, text: str, make: Callable[[], Fields] = dict) -> Row:
    """A session whose pipeline is being trained."""
    return row(
        method,
        "a training runs",
        EARLY,
        text,
        FREE_TRAINING,
        make,
        session=Session.TRAINING,
        situation=Situation.SLOT_TAKEN,
    )
