"""A training that is followed over connections that may break."""

import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.failure import Failure
from cuvis_fleet.link import Link, Metadata
from cuvis_fleet.steps import Step, path_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.training_key import BEGUN, KEY, PATTERN

_KEY_BYTES = 16
_CUT = " ..."
"""What a status ends with whose text was too long for it."""

_ENDED_WELL = frozenset({pb.TRAIN_STATUS_COMPLETE, pb.TRAIN_STATUS_CANCELLED})


@dataclass(frozen=True)
class Attempt:
    """One stream to open.

    Attributes:
        step: the call.
        metadata: what is sent along.
    """

    step: Step
    metadata: Metadata


class FollowedTraining:
    """Decides what of a training's streams is news, and whether to come back to it.

    A server tells a training from its first message to whoever names its key, while it goes on and
    after it ended. A message is news when this stream has brought it more often than was told so
    far; so nothing depends on where a stream broke.
    """

    def __init__(
        self, link: Link, request: pb.TrainRequest, key: str | None, *, begun: bool = False
    ) -> None:
        """Name the training.

        Args:
            link: where it is.
            request: what begins it.
            key: its name; None: a new one or, where it was begun, the session's newest training.
            begun: whether it was begun before, so that none is to be begun.

        Raises:
            WrongArgument: the key is none.
        """
        if key is not None and not re.fullmatch(PATTERN, key):
            raise WrongArgument(f"key is {key!r}; use 16 to 64 letters, digits, '-' or '_'")
        self._request = request
        self._key = key if key or begun else new_key()
        self._begun = begun
        self._attempts = link.attempts("Train")
        self._told: Counter[bytes] = Counter()
        self._repeated: Counter[bytes] = Counter()
        self._last = pb.TrainResponse()

    def attempt(self) -> Attempt:
        """The next stream, which follows the training or, if it was never begun, begins it."""
        self._repeated.clear()
        step = Step(path_of("Train"), self._request, pb.TrainResponse.FromString)
        key = () if self._key is None else ((KEY, self._key),)
        begun = ((BEGUN, "yes"),) if self._begun else ()
        return Attempt(step, (*self._attempts.metadata, *key, *begun))

    def is_new(self, message: pb.TrainResponse, headers: Iterable[tuple[str, Any]]) -> bool:
        """Whether a message was not told yet; counts it as told.

        Args:
            message: of the present stream.
            headers: what came ahead of it. The training may have another name than this one gave
                it, where it attached to one that ran already.
        """
        self._attempts.restart()
        self._begun = True
        self._key = dict(headers).get(KEY, self._key)
        content = message.SerializeToString(deterministic=True)
        self._repeated[content] += 1
        if self._repeated[content] <= self._told[content]:
            return False
        self._told[content] += 1
        self._last = message
        return True

    def pause_s(self, error: grpc.RpcError) -> float | None:
        """How long to wait before the training is asked for again; None: all is told.

        Raises:
            CuvisFleetError: it failed, or there is no coming back.
        """
        if self._last.status in _ENDED_WELL:
            return None
        if self._last.status == pb.TRAIN_STATUS_ERROR and self._is_of_training(error):
            raise self._attempts.final_error(error) from error
        return self._attempts.pause_s(error)

    def _is_of_training(self, error: grpc.RpcError) -> bool:
        """Whether a status is what the training failed with, and no accident of the connection."""
        text = Failure.of(error).text.removesuffix(_CUT)
        return self._last.message.startswith(text)


def new_key() -> str:
    """A name for a training that shall begin."""
    return secrets.token_hex(_KEY_BYTES)
