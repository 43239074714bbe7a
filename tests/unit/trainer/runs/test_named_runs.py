"""A key names one training for good, whatever happens to the calls that name it."""

import pytest

from fleet_platform.errors import DependencyDown, Exhausted, InvalidInput, NotFound, OutOfOrder
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.key import TrainingName, run_id_of
from fleet_trainer.runs.launcher import attachable
from tests.support.network.waiting_call import WaitingCall
from tests.unit.trainer.training_world import TrainingWorld

KEY, OTHER = "first-key-of-a-client", "other-key-of-a-client"


@pytest.fixture
def world():
    return TrainingWorld()


def called(world, key=KEY):
    """What a call with a key follows: begun by it, or found."""
    session = world.session
    return world.training.meant(session, TrainingName(key)) or world.start(session, key)


def ended(world, run, state):
    run = world.runs.claim(run.run_id, "child")
    endings = {
        "complete": (run_endings.completed(run, records.Pipeline()), train_messages.running("c")),
        "failed": (
            run_endings.failed(run, OutOfOrder("early")),
            train_messages.failed("early"),
        ),
        "cancelled": (run_endings.cancelled(run), train_messages.cancelled("stopped")),
    }
    record, message = endings[state]
    world.runs.finish(record, message.SerializeToString())


@pytest.mark.parametrize("state", ["complete", "failed", "cancelled"])
def test_a_run_that_ended_is_found_by_its_key_and_none_begins(world, state):
    run = called(world)
    ended(world, run, state)

    again = called(world)

    assert again.run_id == run.run_id
    assert again.key == KEY
    assert world.runs.active() == []


def test_a_run_is_found_by_its_key_though_a_newer_one_runs(world):
    run = called(world)
    ended(world, run, "complete")
    newer = called(world, OTHER)

    assert called(world).run_id == run.run_id
    assert called(world, OTHER).run_id == newer.run_id
    assert world.session.run_id == newer.run_id


def test_a_run_that_ended_keeps_to_its_type(world):
    run = called(world)
    ended(world, run, "complete")

    with pytest.raises(OutOfOrder, match="was TRAINER_TYPE_STATISTICAL"):
        attachable(world.runs.read(run.run_id), pb.TRAINER_TYPE_GRADIENT)


def test_a_key_of_another_session_names_another_run(world):
    assert called(world).run_id == run_id_of("session", KEY) != run_id_of("other", KEY)


def test_a_call_with_a_new_key_attaches_to_what_runs_and_can_hear_its_key(world):
    run = called(world)

    assert called(world, OTHER).key == KEY
    ended(world, run, "complete")
    assert called(world).run_id == run.run_id


def test_a_run_of_a_call_without_a_key_has_one_all_the_same(world):
    run = world.start()
    ended(world, run, "complete")

    assert called(world, run.key).run_id == run.run_id
    assert world.start().run_id != run.run_id


def test_a_refused_call_makes_no_training_so_that_its_key_begins_one_later(world):
    world.runs.create(records.RunRecord(run_id="other", session_id="other"))
    with pytest.raises(Exhausted):
        called(world)
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_ERROR
    world.runs.claim("other", "child")

    run = called(world)

    assert world.runs.read(run.run_id).state == records.RUN_STATE_QUEUED
    claimed = world.runs.claim(run.run_id, "child")
    world.tell(claimed, train_messages.starting_statistical())
    world.complete(claimed)
    assert world.texts(run.run_id) == [
        "Starting statistical training",
        "Statistical training complete",
    ]


def test_a_stop_after_a_refusal_holds_for_the_call_that_comes_again(world):
    world.runs.create(records.RunRecord(run_id="other", session_id="other"))
    with pytest.raises(Exhausted):
        called(world)
    world.training.stop(world.session)
    world.runs.claim("other", "child")

    run = called(world)

    assert world.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    assert not world.session.stop_requested


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_what_a_call_left_half_begun_the_next_one_begins(world, monkeypatch, key):
    def down(_session_id, _change):
        raise DependencyDown("away")

    with monkeypatch.context() as broken:
        broken.setattr(world.sessions, "update", down)
        with pytest.raises(DependencyDown):
            called(world)
    assert world.session.run_id == ""

    run = called(world, key)

    assert run.run_id == run_id_of("session", KEY) == world.session.run_id
    assert world.queue.ahead_of(run.run_id) == 0


def test_a_call_that_comes_late_to_its_note_leaves_the_newer_run_noted(world, monkeypatch):
    update, late = world.sessions.update, []

    def overtaken(session_id, change):
        if not late:
            late.append(True)
            ended(world, world.runs.read(run_id_of("session", KEY)), "failed")
            called(world, OTHER)
        return update(session_id, change)

    monkeypatch.setattr(world.sessions, "update", overtaken)
    called(world)

    assert world.session.run_id == run_id_of("session", OTHER)


def test_what_was_begun_is_followed_and_not_begun(world):
    begun = TrainingName(KEY, begun=True)
    with pytest.raises(NotFound, match="not known any more"):
        world.training.meant(world.session, begun)
    run = called(world)
    ended(world, run, "complete")
    other = called(world, OTHER)

    assert world.training.meant(world.session, begun).run_id == run.run_id
    newest = world.training.meant(world.session, TrainingName(begun=True))
    assert newest.run_id == other.run_id
    ended(world, other, "complete")
    assert world.training.meant(world.session, TrainingName(begun=True)).run_id == other.run_id
    assert world.training.meant(world.session, TrainingName()) is None


def test_without_a_training_there_is_none_to_follow(world):
    with pytest.raises(NotFound):
        world.training.meant(world.session, TrainingName(begun=True))


@pytest.mark.parametrize(
    "key", ["", "short", "a" * 65, "with a space in it", "comma,separated,ones"]
)
def test_what_is_no_key_is_refused(key):
    call = WaitingCall()
    call.request_metadata["x-fleet-training-key"] = key

    with pytest.raises(InvalidInput, match="16 to 64 letters, digits"):
        TrainingName.of(call)


def test_the_metadata_of_a_call_say_what_it_means():
    call = WaitingCall()
    assert TrainingName.of(call) == TrainingName()
    call.request_metadata["x-fleet-training-begun"] = ""
    assert TrainingName.of(call) == TrainingName(begun=True)
    call.request_metadata["x-fleet-training-key"] = KEY
    assert TrainingName.of(call) == TrainingName(KEY, begun=True)
