"""Watches of the health service receive each change in order and can be cancelled at any time."""

import threading
from collections.abc import Callable

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from fleet_platform.rpc.health_servicer import DrainingHealthServicer

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


class Watcher:
    """A substitute for gRPC: its call can end while a message to it is being sent."""

    def __init__(self, *, gone: bool = False) -> None:
        self.statuses: list[int | None] = []
        self.sending = threading.Event()
        self.may_send = threading.Event()
        self.may_send.set()
        self._gone = gone
        self._on_close: Callable[[], None] | None = None

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._on_close = callback
        return not self._gone

    def send(self, response: HealthCheckResponse | None) -> None:
        self.sending.set()
        assert self.may_send.wait(120)
        self.statuses.append(None if response is None else response.status)

    def leave(self) -> None:
        assert self._on_close is not None
        self._on_close()


@pytest.fixture
def servicer():
    return DrainingHealthServicer()


@pytest.fixture
def watch(servicer):
    def watch(service="", **how):
        watcher = Watcher(**how)
        servicer.Watch(HealthCheckRequest(service=service), watcher, watcher.send)
        return watcher

    return watch


def test_a_watch_sends_the_current_status_and_each_change(servicer, watch):
    whole, other, unknown = watch(), watch("other"), watch("unknown")
    servicer.set("", NOT_SERVING)
    servicer.set("other", SERVING)
    assert whole.statuses == [SERVING, NOT_SERVING]
    assert other.statuses == [UNKNOWN, SERVING]
    assert unknown.statuses == [UNKNOWN]


def test_all_watches_end_with_not_serving(servicer, watch):
    before = watch()
    servicer.end()
    after = watch()
    servicer.set("", SERVING)
    assert before.statuses == [SERVING, NOT_SERVING, None]
    assert after.statuses == [NOT_SERVING, None]


def test_a_cancelled_watch_receives_nothing_more(servicer, watch):
    watcher = watch()
    watcher.leave()
    servicer.set("", NOT_SERVING)
    servicer.end()
    assert watcher.statuses == [SERVING, None]
    assert watch(gone=True).statuses == [None]


def test_a_watch_may_be_cancelled_while_another_receives_a_status(servicer, watch):
    slow, leaving = watch(), watch()
    slow.may_send.clear()
    slow.sending.clear()
    change = threading.Thread(target=lambda: servicer.set("", NOT_SERVING), daemon=True)
    change.start()
    assert slow.sending.wait(120)

    # gRPC uses one thread for both: it runs this before it notices that the message was sent.
    leave = threading.Thread(target=leaving.leave, daemon=True)
    leave.start()
    leave.join(120)
    assert not leave.is_alive()

    slow.may_send.set()
    change.join(120)
    assert not change.is_alive()
    assert slow.statuses == [SERVING, NOT_SERVING]
