"""Serialisation of session and run records."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from fleet_platform.errors import DependencyDown, NotFound
from fleet_platform.telemetry import logger
from fleet_proto.records.v1.records_pb2 import RunRecord, SessionRecord

FORMAT_VERSION = 1
"""Layout version of the records that this release writes, and the newest that it reads."""

_log = logger("fleet.stores")

Record = TypeVar("Record", SessionRecord, RunRecord)
AnyMessage = TypeVar("AnyMessage", bound=Message)


def copied(record: AnyMessage) -> AnyMessage:
    """Return a copy of a record, to be changed without changing the original."""
    copy = type(record)()
    copy.CopyFrom(record)
    return copy


def dump(record: Record) -> bytes:
    """Serialise a record, stamped with this release's layout version; `record` is unchanged."""
    stamped = copied(record)
    stamped.format_version = FORMAT_VERSION
    return stamped.SerializeToString()


def load(kind: type[Record], stored: bytes, subject: str) -> Record:
    """Parse a record that `dump` serialised.

    Args:
        kind: Message class of the record.
        stored: Bytes from the store.
        subject: Name of the record in error texts, such as ``Session 1b2c``.

    Raises:
        NotFound: the bytes are not such a record.
        DependencyDown: a newer release wrote it; a replica of that release can answer.
    """
    record = kind()
    try:
        record.ParseFromString(stored)
    except DecodeError as error:
        _log.error("record.damaged", subject=subject, size_bytes=len(stored))
        raise NotFound(f"{subject} is corrupted in the store; create a new one.") from error
    if record.format_version > FORMAT_VERSION:
        raise DependencyDown(
            f"{subject} was written by a newer release than this replica; try again in a moment."
        )
    return record
