"""Configs are composed one at a time, and never for a caller that no longer waits."""

import threading

import pytest

from fleet_platform.errors import Cancelled, DeadlinePassed, Exhausted
from tests.support.network.waiting_call import WaitingCall

RUN = "trainrun/rx_statistical"


class HeldTurn(WaitingCall):
    """A call whose turn lasts until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.has_turn = threading.Event()
        self.go_on = threading.Event()

    def check(self):
        self.has_turn.set()
        assert self.go_on.wait(120)


@pytest.fixture
def held(resolve):
    """One config is being composed for as long as the test runs."""
    call = HeldTurn()
    thread = threading.Thread(target=resolve, args=("trainrun", RUN), kwargs={"call": call})
    thread.start()
    assert call.has_turn.wait(120)
    yield call
    call.go_on.set()
    thread.join()


def test_a_deadline_that_passes_while_waiting_is_reported_as_such(resolve, held):
    class Late(WaitingCall):
        def max_wait_s(self, _limit_s):
            self.left_s = 0.0
            return 0.05

    with pytest.raises(DeadlinePassed):
        resolve("trainrun", RUN, call=Late())


def test_a_caller_that_would_wait_too_long_gets_a_retry_delay(resolve, held, monkeypatch):
    monkeypatch.setattr("fleet_config.resolution._MAX_WAIT_S", 0.05)
    with pytest.raises(Exhausted, match=r"try again in 1 s\.$") as caught:
        resolve("trainrun", RUN, call=WaitingCall())
    assert caught.value.retry_after_s == 1


def test_a_turn_that_comes_after_the_caller_left_is_passed_on(resolve, held):
    waits, ended = threading.Event(), []

    class Gone(WaitingCall):
        def max_wait_s(self, limit_s):
            waits.set()
            return super().max_wait_s(limit_s)

    call = Gone()

    def wait():
        try:
            resolve("trainrun", RUN, "no such=override", call=call)
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waits.wait(120)
    call.has_left = True
    held.go_on.set()
    thread.join()
    assert len(ended) == 1, "its overrides were read"
    assert resolve("trainrun", RUN)["name"]
