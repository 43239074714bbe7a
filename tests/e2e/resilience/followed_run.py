"""A training that a client follows, loses sight of, and follows again."""

import threading
from dataclasses import dataclass, field

import grpc

from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.settings import ServiceSettings
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.resilience.conftest import apply_trainrun
from tests.support.killable_fleet import SERVING_AGAIN_S, Fleet
from tests.support.polling import wait_until
from tests.support.wire import Wire

DEADLINE_S = 240.0
_PASSES = 4000
_FRAMES = 7


@dataclass
class Followed:
    """What one Train stream has told so far.

    Attributes:
        messages: in the order in which they came; those of a run that waits for its turn are left
            out, which are made for the client that reads them.
        error: how the stream failed; None while it goes on or when it ended well.
    """

    messages: list[pb2.TrainResponse] = field(default_factory=list)
    error: grpc.RpcError | None = None
    _thread: threading.Thread | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._thread is not None and not self._thread.is_alive()

    @property
    def texts(self) -> list[str]:
        return [message.message for message in self.messages]

    def read(self, stream: grpc.Call) -> None:
        """Read on a thread of its own."""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        wait_until(
            lambda: len(self.messages) >= count or self.has_ended, "messages", SERVING_AGAIN_S
        )
        assert len(self.messages) >= count, self.error

    def _read(self, stream: grpc.Call) -> None:
        try:
            for message in stream:
                if "queued," not in message.message:
                    self.messages.append(message)
        except grpc.RpcError as error:
            self.error = error


class FollowedRun:
    """A statistical training in a session of its own; so long that it ends only when stopped."""

    def __init__(self, fleet: Fleet, calls: Wire) -> None:
        self._fleet = fleet
        self._calls = calls
        self.session_id = calls.session()
        apply_trainrun(calls, self.session_id, list(range(_FRAMES)) * _PASSES)

    def follow(self) -> Followed:
        """Begin the training, or attach to it."""
        followed = Followed()
        followed.read(self._calls.train_stream(self.session_id, DEADLINE_S))
        return followed

    def follow_again(self) -> Followed:
        """Attach as soon as a trainer takes the call."""
        attached: list[Followed] = []

        def attach() -> bool:
            followed = self.follow()
            wait_until(lambda: followed.messages or followed.has_ended, "a first message", 60.0)
            attached.append(followed)
            return bool(followed.messages)

        wait_until(attach, "a trainer takes the call", SERVING_AGAIN_S)
        return attached[-1]

    def stop(self) -> None:
        """Stop the training."""
        assert self._calls.call("StopTrain", session_id=self.session_id).accepted

    def stored(self) -> list[str]:
        """Texts of all messages, as the store has them."""
        settings = ServiceSettings(redis_url=self._fleet.redis.url)
        sessions, runs = open_session_store(settings), open_run_store(settings)
        run_id = sessions.read(self.session_id).run_id
        entries = list(runs.tail(run_id, wait_s=0.1))
        runs.close()
        sessions.close()
        return [pb2.TrainResponse.FromString(entry.payload).message for entry in entries]

    def assert_gapless(self, first: Followed, second: Followed) -> None:
        """Hold that both tell one and the same story, the second to its end."""
        wait_until(lambda: second.has_ended, "the stream ends", SERVING_AGAIN_S)
        assert second.error is None
        assert second.texts[: len(first.texts)] == first.texts, "what was told is told again"
        assert second.texts == self.stored()
        ended = [m.status for m in second.messages if m.status != pb2.TRAIN_STATUS_RUNNING]
        assert ended == [pb2.TRAIN_STATUS_CANCELLED]
        progress = [text for text in second.texts if text.startswith("Fitting")]
        assert len(progress) == len(set(progress)) or "Started again" in second.texts
