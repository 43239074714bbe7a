"""Optimistic concurrency for session records."""

import random
import time
import uuid
from collections.abc import Callable

from fleet_platform.backoff import Backoff
from fleet_platform.errors import Conflict
from fleet_platform.shown_text import shown
from fleet_platform.stored_records import dump, load
from fleet_proto.records.v1.records_pb2 import SessionRecord

ATTEMPTS = 16
_FIRST_PAUSE_S = 0.0005
_MAX_PAUSE_S = 0.02


def compare_and_set(
    session_id: str,
    stored: bytes,
    change: Callable[[SessionRecord], None],
    swap: Callable[[bytes, bytes], bytes | None],
) -> SessionRecord:
    """Apply `change` and write the result, repeatedly until no other writer interferes.

    Args:
        session_id: Session of the record.
        stored: The record as it was read.
        change: Applied to a fresh copy in each attempt.
        swap: Called with the expected bytes and the new ones; writes the new ones and returns None,
            or returns the bytes that another writer stored.

    Raises:
        Conflict: all attempts failed.
    """
    subject = f"Session {shown(session_id)}"
    backoff = Backoff(_FIRST_PAUSE_S, _MAX_PAUSE_S)
    for _ in range(ATTEMPTS):
        record = load(SessionRecord, stored, subject)
        change(record)
        # Makes the bytes unique, so that a repeated write recognises its own result.
        record.write_id = uuid.uuid4().bytes
        written = dump(record)
        newer = swap(stored, written)
        if newer is None:
            return load(SessionRecord, written, subject)
        stored = newer
        time.sleep(random.uniform(0, backoff.next_s()))  # noqa: S311 - not for cryptography
    raise Conflict(f"{subject} is being changed by too many calls at once; try again.")
