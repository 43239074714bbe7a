"""How a session begins."""

import time
import uuid

from fleet_platform.files import PathPolicy
from fleet_proto.records.v1.records_pb2 import SessionRecord


def new_session(paths: PathPolicy) -> SessionRecord:
    """Return the record of a session with a random id that searches the server's own configs."""
    return SessionRecord(
        session_id=str(uuid.uuid4()),
        created_ms=time.time_ns() // 1_000_000,
        search_paths=[default_search_path(paths)],
    )


def default_search_path(paths: PathPolicy) -> str:
    """The folder that a session searches to which no other was given."""
    return str(paths.configs_dir.resolve())
