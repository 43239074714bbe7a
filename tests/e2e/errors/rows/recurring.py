"""Errors that several methods return with the same text."""

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from tests.e2e.errors.row import Row, Session, Situation
from tests.support.case import EARLY, MISSING, Fields

NO_SESSION = "0c9cd1b5-5f4f-4b43-a8f5-3c9a0a0e0c0d"
PASSWD = "/etc/passwd"

FREE_TRAINING = "Wait until the `Train` stream ends, or call `StopTrain`."
LOAD_FIRST = "Call `LoadPipeline`, `SetTrainRunConfig` or `RestoreTrainRun` first."
INSIDE = "Use a path below the session's search paths or the data, output or configuration folder."


def fields(**given: Any) -> Callable[[], Fields]:
    """Return a function that makes these request fields."""
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
    """Return a row; `Row` documents the options."""
    return Row(
        name=name, method=method, fields=make, code=code, text=text, remedy=remedy, **options
    )


def unknown_session(method: str, **more: Any) -> Row:
    """Return the row for a session that does not exist, has expired or has another owner."""
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
    """Return the row for a session without a pipeline."""
    return row(
        method, "no pipeline loaded", EARLY, text, LOAD_FIRST, fields(**more), session=Session.NEW
    )


def training_runs(method: str, text: str, make: Callable[[], Fields] = dict) -> Row:
    """Return the row for a session whose pipeline is being trained."""
    return row(
        method,
        "a training is running",
        EARLY,
        text,
        FREE_TRAINING,
        make,
        session=Session.TRAINING,
        situation=Situation.SLOT_TAKEN,
    )
