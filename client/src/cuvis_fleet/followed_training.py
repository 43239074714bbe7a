"""A training that is followed over connections that may break."""

from collections import Counter
from dataclasses import dataclass

import grpc

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.link import Link, Metadata
from cuvis_fleet.steps import Plan, Step, call, path_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

_TERMINAL = frozenset({pb.TRAIN_STATUS_COMPLETE, pb.TRAIN_STATUS_ERROR, pb.TRAIN_STATUS_CANCELLED})


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

    A server tells a training from its first message to whoever calls Train while it goes on. A
    message is news when this stream has brought it more often than was told so far; so nothing
    depends on where a stream broke.
    """

    def __init__(self, link: Link, request: pb.TrainRequest) -> None:
        self._request = request
        self._attempts = link.attempts("Train")
        self._told: Counter[bytes] = Counter()
        self._repeated: Counter[bytes] = Counter()
        self._earlier: bytes | None = None
        self._has_ended = False

    def before(self) -> Plan[None]:
        """Note where the session's training before this one ended, to tell the two apart."""
        self._earlier = _content((yield from self._status()))

    def attempt(self) -> Attempt:
        """The next stream, which begins the training or attaches to it."""
        self._repeated.clear()
        step = Step(path_of("Train"), self._request, pb.TrainResponse.FromString)
        return Attempt(step, self._attempts.metadata)

    def is_new(self, message: pb.TrainResponse) -> bool:
        """Whether a message of the present stream was not told yet; counts it as told."""
        self._attempts.restart()
        content = _content(message)
        self._repeated[content] += 1
        if self._repeated[content] <= self._told[content]:
            return False
        self._told[content] += 1
        self._has_ended = message.status in _TERMINAL
        return True

    def pause_s(self, error: grpc.RpcError) -> float:
        """How long to wait before the training is looked for again.

        Raises:
            CuvisFleetError: it failed, or there is no coming back.
        """
        if self._has_ended:
            raise self._attempts.final_error(error) from error
        return self._attempts.pause_s(error)

    def ending(self) -> Plan[pb.TrainResponse | None]:
        """The last message if the training ended meanwhile; None: it is to be followed again.

        Calling Train for one that has ended would begin another.
        """
        latest = yield from self._status()
        ended = latest.status in _TERMINAL and _content(latest) != self._earlier
        return latest if ended else None

    def raise_failure(self, last: pb.TrainResponse) -> None:
        """Raise what a last message tells of.

        Raises:
            CuvisFleetError: the training failed.
        """
        if last.status == pb.TRAIN_STATUS_ERROR:
            code = grpc.StatusCode.UNKNOWN
            raise CuvisFleetError("Train", code, last.message, self._attempts.trace_id)

    def _status(self) -> Plan[pb.TrainResponse]:
        request = pb.GetTrainStatusRequest(session_id=self._request.session_id)
        answer = yield from call("GetTrainStatus", request, pb.GetTrainStatusResponse)
        return answer.latest_progress


def _content(message: pb.TrainResponse) -> bytes:
    return message.SerializeToString(deterministic=True)
