"""The key by which a client names a training."""

import re
import uuid
from dataclasses import dataclass

from fleet_platform.errors import InvalidInput
from fleet_platform.rpc import Call
from fleet_platform.shown_text import shown
from fleet_proto.training_key import FOLLOW_ONLY, KEY, PATTERN


@dataclass(frozen=True)
class TrainingKey:
    """Identifies the training that a call of Train refers to.

    Attributes:
        key: The name that the client gave it; empty: the active training of the session.
        follow_only: Whether the client has seen it start, so that none may be started.
    """

    key: str = ""
    follow_only: bool = False

    @classmethod
    def of(cls, call: Call) -> "TrainingKey":
        """Read the metadata of a call; without any, the session's training is meant.

        Raises:
            InvalidInput: the key is malformed.
        """
        key, follow_only = call.metadata(KEY), call.metadata(FOLLOW_ONLY) is not None
        if key is None:
            return cls(follow_only=follow_only)
        if not re.fullmatch(PATTERN, key):
            raise InvalidInput(
                f"The metadata {KEY} is '{shown(key)}'. Send 16 to 64 letters, digits, '-' or '_',"
                " generated at random for each training run."
            )
        return cls(key, follow_only)


def run_id_of(session_id: str, key: str) -> str:
    """Return the id of the run that a session's key names, which is the same at every trainer."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session_id}/{key}"))
