"""Changing a session record that others may change at the same time."""

import random
import time
import uuid
from collections.abc import Callable

from fleet_platform.errors import Conflict
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import SessionRecord

ATTEMPTS = 16
_LONGEST_PAUSE_S = 0.02


def compare_and_set(
    session_id: str,
    stored: bytes,
    change: Callable[[SessionRecord], None],
    swap: Callable[[bytes, bytes], bytes | None],
) -> SessionRecord:
    """Apply `change` until `swap` finds that nobody wrote in between.

    Args:
        session_id: Whose record it is.
        stored: The record as it was read.
        change: Applied to a fresh copy in each attempt.
        swap: Given the bytes that must still be stored and the new ones; writes and returns None,
            or returns the bytes that somebody else wrote.

    Raises:
        Conflict: the attempts are used up.
    """
    subject = f"Session {shown(session_id)}"
    for attempt in range(ATTEMPTS):
        record = load(SessionRecord, stored, subject)
        change(record)
        # Makes the bytes unlike any others, so that who finds them stored knows who wrote them.
        record.write_id = uuid.uuid4().bytes
        written = dump(record)
        newer = swap(stored, written)
        if newer is None:
            return load(SessionRecord, written, subject)
        stored = newer
        pause_s = min(_LONGEST_PAUSE_S, 0.0005 * 2**attempt)
        time.sleep(random.uniform(0, pause_s))  # noqa: S311 - spreads writers, hides nothing
    raise Conflict(f"{subject} is being changed by too many calls at once; try again.")
