"""How session and run records are written as bytes, and what is told when they cannot be read."""

from typing import TypeVar

from google.protobuf.message import DecodeError

from fleet_platform.errors import DependencyDown, NotFound
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RunRecord, SessionRecord

FORMAT_VERSION = 1
"""Layout of the records that this release writes, and the newest that it reads."""

_log = logger("fleet.stores")

Record = TypeVar("Record", SessionRecord, RunRecord)


def dump(record: Record) -> bytes:
    """Serialise a record, stamped with the layout of this release; `record` stays as it is."""
    stamped = type(record)()
    stamped.CopyFrom(record)
    stamped.format_version = FORMAT_VERSION
    return stamped.SerializeToString()


def load(kind: type[Record], stored: bytes, subject: str) -> Record:
    """Parse what `dump` wrote.

    Args:
        kind: Message class of the record.
        stored: Bytes from the store.
        subject: What the record is to the caller, such as ``Session 1b2c``.

    Raises:
        NotFound: the bytes are no such record.
        DependencyDown: a newer release wrote it; a replica of that release can answer.
    """
    record = kind()
    try:
        record.ParseFromString(stored)
    except DecodeError as error:
        _log.error("record.damaged", subject=subject, size_bytes=len(stored))
        raise NotFound(f"{subject} cannot be read from the store any more; start anew.") from error
    if record.format_version > FORMAT_VERSION:
        raise DependencyDown(
            f"{subject} was written by a newer release than this replica; try again in a moment."
        )
    return record
