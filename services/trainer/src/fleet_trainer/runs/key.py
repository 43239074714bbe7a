"""What a call of Train says of the training that it means."""

import re
import secrets
import uuid
from dataclasses import dataclass

from fleet_platform.errors import InvalidInput
from fleet_platform.rpc import Call
from fleet_platform.shown_text import shown
from fleet_proto.training_key import FOLLOW_ONLY, KEY, PATTERN

_KEY_BYTES = 16


@dataclass(frozen=True)
class TrainingName:
    """The training that a call means.

    Attributes:
        key: what the client names it by; empty: the session's own.
        begun: whether it was begun before, so that nothing is to be begun.
    """

    key: str = ""
    begun: bool = False

    @classmethod
    def of(cls, call: Call) -> "TrainingName":
        """Read the metadata of a call; a client that sends none means its session's training.

        Raises:
            InvalidInput: the key is none.
        """
        key, begun = call.metadata(KEY), call.metadata(FOLLOW_ONLY) is not None
        if key is None:
            return cls(begun=begun)
        if not re.fullmatch(PATTERN, key):
            raise InvalidInput(
                f"The metadata {KEY} is '{shown(key)}'. Send 16 to 64 letters, digits, '-' or '_',"
                " made at random for each training."
            )
        return cls(key, begun)


def new_key() -> str:
    """A key for a training that its client has not named."""
    return secrets.token_hex(_KEY_BYTES)


def run_id_of(session_id: str, key: str) -> str:
    """The id of the run that a session's key names: one and the same at every trainer."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session_id}/{key}"))
