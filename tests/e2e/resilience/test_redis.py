"""Redis that dies, and a network to it that breaks connections: nothing is lost or done twice."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import grpc
import pytest

from tests.e2e.resilience.conftest import Trained, apply_trainrun
from tests.e2e.resilience.followed_run import FollowedRun
from tests.support.killable_fleet import INFERENCE, TRAINERS, Fleet
from tests.support.polling import wait_until
from tests.support.processes.serving_process import serving_pid
from tests.support.wire import Wire

pytestmark = pytest.mark.e2e

TURN_S = 120.0
CLIENTS = 4
SESSIONS = 12
INFERENCES = 4


def test_a_killed_redis_loses_no_session_and_no_message(fleet: Fleet, calls, trained, scene):
    before = calls.infer(trained.session_id, trained.cube, trained.wavelengths)
    names = ("session", *INFERENCE, *TRAINERS)
    pids = {name: serving_pid(fleet.stack, name) for name in names}
    run = FollowedRun(fleet, calls)
    first = run.follow()
    first.wait_for(5)

    fleet.redis.kill()
    wait_until(lambda: not fleet.stack.is_serving(), "health is red", TURN_S)
    wait_until(lambda: first.has_ended, "the stream ends", TURN_S)
    assert first.error.code() is grpc.StatusCode.UNAVAILABLE
    fleet.redis.start()
    wait_until(fleet.stack.is_serving, "health is green", TURN_S)

    second = run.follow_again()
    second.wait_for(len(first.messages) + 5)
    run.stop()
    run.assert_gapless(first, second)
    assert second.texts.count("Starting statistical training") == 1, "the training went on"
    after = calls.infer(trained.session_id, trained.cube, trained.wavelengths)
    assert {port: array.tobytes() for port, array in after.items()} == {
        port: array.tobytes() for port, array in before.items()
    }
    assert {name: serving_pid(fleet.stack, name) for name in names} == pids, "nothing restarted"


@pytest.mark.parametrize(("failure_rate", "least_success"), [(0.01, 0.999), (0.1, 0.99)])
def test_broken_connections_to_redis_make_no_answer_wrong(
    fleet: Fleet, calls, trained, failure_rate, least_success
):
    expected = calls.infer(trained.session_id, trained.cube, trained.wavelengths)
    tally = Tally()
    fleet.network.failure_rate, failed_before = failure_rate, fleet.network.failures
    threads = [
        threading.Thread(target=_work, args=(calls, trained, expected, tally), daemon=True)
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fleet.network.failure_rate = 0.0

    assert fleet.network.failures > failed_before
    assert tally.wrong == []
    assert set(tally.failures) <= {grpc.StatusCode.UNAVAILABLE}
    assert tally.answered >= least_success * (tally.answered + tally.failures.total())


class Tally:
    """How calls ended."""

    def __init__(self) -> None:
        self.answered = 0
        self.failures: Counter[grpc.StatusCode] = Counter()
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def count(self, call: Callable[[], object]) -> object | None:
        """Make a call; its answer, or None when it failed."""
        try:
            answer = call()
        except grpc.RpcError as error:
            with self._lock:
                self.failures[error.code()] += 1
            return None
        with self._lock:
            self.answered += 1
        return answer

    def hold(self, right: bool, what: str) -> None:
        """Note what was answered wrongly."""
        if not right:
            self.wrong.append(what)


def _work(calls: Wire, trained: Trained, expected: dict, tally: Tally) -> None:
    """Sessions of a client, all of whose answers are known."""
    for number in range(SESSIONS):
        session_id = tally.count(calls.session)
        if session_id is None:
            continue
        call = partial(calls.call, session_id=session_id)
        answer = tally.count(partial(call, "SetSessionSearchPaths"))
        tally.hold(answer is None or answer.success, "search paths")
        tally.count(partial(apply_trainrun, calls, session_id, [0, 2, 3]))
        for _ in range(INFERENCES):
            outputs = tally.count(
                partial(calls.infer, trained.session_id, trained.cube, trained.wavelengths)
            )
            same = outputs is None or all(
                (outputs[port] == array).all() for port, array in expected.items()
            )
            tally.hold(same, "inference")
        if number == 0:
            messages = tally.count(partial(calls.train, session_id))
            tally.hold(messages is None or _is_whole(messages), "training")
        answer = tally.count(partial(call, "CloseSession"))
        tally.hold(answer is None or answer.success, "close")


def _is_whole(messages: list) -> bool:
    texts = [message.message for message in messages if "queued," not in message.message]
    return (
        len(texts) == len(set(texts))
        and texts[0] == "Starting statistical training"
        and texts[-1].startswith("Statistical training complete")
    )
