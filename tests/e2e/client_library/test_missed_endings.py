"""A training ends while its client has no connection: it is told whole, and made once."""

import pytest

import cuvis_fleet
from tests.e2e.client_library.conftest import OVERRIDES
from tests.e2e.client_library.styles import STYLES, followed
from tests.support.network.cut_relay import CutRelay
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

_FRAMES, _PASSES = 7, 600
_WITHIN_S = 90.0


@pytest.fixture(params=list(STYLES))
def cut_off(request, stack):
    """``cut_off(meanwhile)``: a session, and what a training tells that is truncated meanwhile."""

    def run(meanwhile):
        with (
            CutRelay(stack.address) as relay,
            cuvis_fleet.connect(stack.address) as beside,
        ):
            return STYLES[request.param](
                relay.address, lambda steps: _cut_off(steps, relay, beside, meanwhile)
            )

    return run


def _cut_off(steps, relay, beside, meanwhile):
    trainrun = dict(steps.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES).data)
    trainrun["data"]["train_ids"] = list(range(_FRAMES)) * _PASSES
    steps.call("apply", trainrun)
    session = beside.attach(steps.session_id)
    with followed(steps, _WITHIN_S) as told:
        wait_until(lambda: len(told.messages) > 3, "the training runs", _WITHIN_S)
        relay.cut()
        meanwhile(session)
        wait_until(lambda: session.status().status != "running", "the end", _WITHIN_S)
        assert {each.status for each in told.messages} == {"running"}, "the client heard the end"
        relay.mend()
    # A second training would be newer than the one that was followed. Whoever waits for a slot is
    # told so by messages of the moment, which are not the training's.
    training = [each for each in told.messages if "queued," not in each.message]
    return training, list(session.follow())


def test_a_training_that_completed_is_told_whole_and_made_once(cut_off):
    told, newest = cut_off(lambda _session: None)

    assert told == newest
    assert [each.status for each in newest if each.status != "running"] == ["complete"]
    assert newest[0].message == "Starting statistical training"
    assert len(newest) > 10


def test_a_training_that_was_stopped_is_told_whole_and_made_once(cut_off):
    told, newest = cut_off(lambda session: session.stop())

    assert told == newest
    assert [each.status for each in newest if each.status != "running"] == ["cancelled"]
