"""Follows a training over connections that may break."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.operations.operation import Call, method_path
from cuvis_fleet.transport.call_policy import CallPolicy, Metadata
from cuvis_fleet.transport.rpc_failure import RpcFailure
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.training_key import FOLLOW_ONLY, KEY, PATTERN, new_key

_TRUNCATED = " ..."
"""Ends a status message that was too long for the header."""

_ENDED_WELL = frozenset({pb.TRAIN_STATUS_COMPLETE, pb.TRAIN_STATUS_CANCELLED})


@dataclass(frozen=True)
class Attempt:
    """A stream to open.

    Attributes:
        call: the call.
        metadata: the metadata to send with it.
    """

    call: Call
    metadata: Metadata


class FollowedTraining:
    """Decides which messages of a training's streams are new, and whether to reconnect.

    For a training's key, a server sends all messages from the first one, whether the training is
    running or has ended. A message is new when the present stream has delivered it more often than
    it was yielded so far, so the result does not depend on where a stream broke.
    """

    def __init__(
        self,
        policy: CallPolicy,
        request: pb.TrainRequest,
        key: str | None,
        *,
        started: bool = False,
    ) -> None:
        """Choose the training's key.

        Args:
            policy: the server and its retry rules.
            request: the request that starts the training.
            key: the training's key; None: a new one or, with `started`, that of the session's
                newest training.
            started: whether the training has started already, so that it must not be started.

        Raises:
            WrongArgument: the key is malformed.
        """
        if key is not None and not re.fullmatch(PATTERN, key):
            raise WrongArgument(f"key is {key!r}; use 16 to 64 letters, digits, '-' or '_'")
        self._request = request
        self._key = key if key or started else new_key()
        self._started = started
        self._attempts = policy.attempts("Train")
        self._yielded: Counter[bytes] = Counter()
        self._delivered: Counter[bytes] = Counter()
        self._last = pb.TrainResponse()

    def attempt(self) -> Attempt:
        """Return the next stream; it starts the training only if none was started before."""
        self._delivered.clear()
        call = Call(method_path("Train"), self._request, pb.TrainResponse.FromString)
        key = () if self._key is None else ((KEY, self._key),)
        started = ((FOLLOW_ONLY, "yes"),) if self._started else ()
        return Attempt(call, (*self._attempts.metadata, *key, *started))

    def is_new(self, message: pb.TrainResponse, headers: Iterable[tuple[str, Any]]) -> bool:
        """Return whether a message was not yielded yet, and count it as yielded.

        Args:
            message: a message of the present stream.
            headers: the stream's initial metadata. It has another key than was sent if the call
                attached to a training that was running already.
        """
        self._attempts.restart()
        self._started = True
        self._key = dict(headers).get(KEY, self._key)
        content = message.SerializeToString(deterministic=True)
        self._delivered[content] += 1
        if self._delivered[content] <= self._yielded[content]:
            return False
        self._yielded[content] += 1
        self._last = message
        return True

    def pause_s(self, error: grpc.RpcError) -> float | None:
        """Return how long to wait before reconnecting; None: the training has ended.

        Raises:
            CuvisFleetError: the training failed, or reconnecting is not allowed.
        """
        if self._last.status in _ENDED_WELL:
            return None
        if self._last.status == pb.TRAIN_STATUS_ERROR and self._is_of_training(error):
            raise self._attempts.final_error(error) from error
        return self._attempts.pause_s(error)

    def _is_of_training(self, error: grpc.RpcError) -> bool:
        """Return whether a status is the training's failure and not one of the connection."""
        text = RpcFailure.of(error).text.removesuffix(_TRUNCATED)
        return self._last.message.startswith(text)
