"""A training ends while its client is disconnected: it yields all messages and runs once."""

import pytest

import cuvis_fleet
from tests.e2e.client_library.conftest import OVERRIDES
from tests.e2e.client_library.styles import STYLES, followed
from tests.support.network.cut_relay import CutRelay
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

_FRAMES, _PASSES = 7, 600
_WITHIN_S = 300.0


@pytest.fixture(params=list(STYLES))
def cut_off(request, stack):
    """``cut_off(meanwhile)``: the messages of a training whose connection breaks in between."""

    def run(meanwhile):
        with (
            CutRelay(stack.address) as relay,
            cuvis_fleet.connect(stack.address) as beside,
        ):
            return STYLES[request.param](
                relay.address, lambda opened: _cut_off(opened, relay, beside, meanwhile)
            )

    return run


def _cut_off(following, relay, beside, meanwhile):
    trainrun = dict(
        following.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES).data
    )
    trainrun["data"]["train_ids"] = list(range(_FRAMES)) * _PASSES
    following.call("apply", trainrun)
    session = beside.attach(following.session_id)
    with followed(following, _WITHIN_S) as received:
        wait_until(lambda: len(received.messages) > 3, "the training runs", _WITHIN_S)
        relay.cut()
        meanwhile(session)
        wait_until(lambda: session.status().status != "running", "the end", _WITHIN_S)
        assert {each.status for each in received.messages} == {"running"}, (
            "the client received the end"
        )
        relay.restore()
    # A second training would be newer than the followed one. Messages about waiting for a slot are
    # transient and not part of the training.
    training = [each for each in received.messages if "queued," not in each.message]
    return training, list(session.follow())


def test_a_completed_training_yields_all_messages_and_runs_once(cut_off):
    messages, newest = cut_off(lambda _session: None)

    assert messages == newest
    assert [each.status for each in newest if each.status != "running"] == ["complete"]
    assert newest[0].message == "Starting statistical training"
    assert len(newest) > 10


def test_a_stopped_training_yields_all_messages_and_runs_once(cut_off):
    messages, newest = cut_off(lambda session: session.stop())

    assert messages == newest
    assert [each.status for each in newest if each.status != "running"] == ["cancelled"]
