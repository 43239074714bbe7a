"""A key names one training, no matter what happens to the calls that send it."""

import pytest

from fleet_platform.errors import DependencyDown, Exhausted, InvalidInput, NotFound, OutOfOrder
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.key import TrainingKey, run_id_of
from fleet_trainer.runs.launcher import attachable
from tests.support.network.waiting_call import WaitingCall
from tests.unit.trainer.fake_trainer import FakeTrainer

KEY, OTHER = "first-key-of-a-client", "other-key-of-a-client"


@pytest.fixture
def trainer():
    return FakeTrainer()


def called(trainer, key=KEY):
    """Return the run that a call with a key follows: an existing one, or one that it launches."""
    session = trainer.session
    return trainer.training.resolve(session, TrainingKey(key)) or trainer.launch(session, key)


def end(trainer, run, state):
    run = trainer.runs.claim(run.run_id, "child")
    endings = {
        "complete": (outcomes.completed(run, records.Pipeline()), messages.running("c")),
        "failed": (
            outcomes.failed(run, OutOfOrder("early")),
            messages.failed("early"),
        ),
        "cancelled": (outcomes.cancelled(run), messages.cancelled("stopped")),
    }
    record, message = endings[state]
    trainer.runs.finish(record, message.SerializeToString())


@pytest.mark.parametrize("state", ["complete", "failed", "cancelled"])
def test_an_ended_run_is_found_by_its_key_and_none_is_launched(trainer, state):
    run = called(trainer)
    end(trainer, run, state)

    again = called(trainer)

    assert again.run_id == run.run_id
    assert again.key == KEY
    assert trainer.runs.active() == []


def test_a_run_is_found_by_its_key_although_a_newer_one_is_active(trainer):
    run = called(trainer)
    end(trainer, run, "complete")
    newer = called(trainer, OTHER)

    assert called(trainer).run_id == run.run_id
    assert called(trainer, OTHER).run_id == newer.run_id
    assert trainer.session.run_id == newer.run_id


def test_an_ended_run_keeps_its_type(trainer):
    run = called(trainer)
    end(trainer, run, "complete")

    with pytest.raises(OutOfOrder, match="was TRAINER_TYPE_STATISTICAL"):
        attachable(trainer.runs.read(run.run_id), pb.TRAINER_TYPE_GRADIENT)


def test_the_same_key_in_another_session_names_another_run(trainer):
    assert called(trainer).run_id == run_id_of("session", KEY) != run_id_of("other", KEY)


def test_a_call_with_a_new_key_attaches_to_the_active_run_and_receives_its_key(trainer):
    run = called(trainer)

    assert called(trainer, OTHER).key == KEY
    end(trainer, run, "complete")
    assert called(trainer).run_id == run.run_id


def test_a_run_launched_without_a_key_gets_one(trainer):
    run = trainer.launch()
    end(trainer, run, "complete")

    assert called(trainer, run.key).run_id == run.run_id
    assert trainer.launch().run_id != run.run_id


def test_a_rejected_call_creates_no_training_so_its_key_can_launch_one_later(trainer):
    trainer.runs.create(records.RunRecord(run_id="other", session_id="other"))
    with pytest.raises(Exhausted):
        called(trainer)
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_ERROR
    trainer.runs.claim("other", "child")

    run = called(trainer)

    assert trainer.runs.read(run.run_id).state == records.RUN_STATE_QUEUED
    claimed = trainer.runs.claim(run.run_id, "child")
    trainer.send(claimed, messages.starting_statistical())
    trainer.complete(claimed)
    assert trainer.texts(run.run_id) == [
        "Starting statistical training",
        "Statistical training complete",
    ]


def test_a_stop_after_a_rejection_applies_to_the_repeated_call(trainer):
    trainer.runs.create(records.RunRecord(run_id="other", session_id="other"))
    with pytest.raises(Exhausted):
        called(trainer)
    trainer.training.stop(trainer.session)
    trainer.runs.claim("other", "child")

    run = called(trainer)

    assert trainer.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    assert not trainer.session.stop_requested


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_a_half_launched_run_is_launched_by_the_next_call(trainer, monkeypatch, key):
    def down(_session_id, _change):
        raise DependencyDown("away")

    with monkeypatch.context() as broken:
        broken.setattr(trainer.sessions, "update", down)
        with pytest.raises(DependencyDown):
            called(trainer)
    assert trainer.session.run_id == ""

    run = called(trainer, key)

    assert run.run_id == run_id_of("session", KEY) == trainer.session.run_id
    assert trainer.queue.ahead_of(run.run_id) == 0


def test_a_call_that_records_its_run_late_keeps_the_newer_run_in_the_session(trainer, monkeypatch):
    update, late = trainer.sessions.update, []

    def overtaken(session_id, change):
        if not late:
            late.append(True)
            end(trainer, trainer.runs.read(run_id_of("session", KEY)), "failed")
            called(trainer, OTHER)
        return update(session_id, change)

    monkeypatch.setattr(trainer.sessions, "update", overtaken)
    called(trainer)

    assert trainer.session.run_id == run_id_of("session", OTHER)


def test_a_training_that_follow_only_is_followed_and_never_launched(trainer):
    key = TrainingKey(KEY, follow_only=True)
    with pytest.raises(NotFound, match="is unknown or has expired"):
        trainer.training.resolve(trainer.session, key)
    run = called(trainer)
    end(trainer, run, "complete")
    other = called(trainer, OTHER)

    assert trainer.training.resolve(trainer.session, key).run_id == run.run_id
    newest = trainer.training.resolve(trainer.session, TrainingKey(follow_only=True))
    assert newest.run_id == other.run_id
    end(trainer, other, "complete")
    assert (
        trainer.training.resolve(trainer.session, TrainingKey(follow_only=True)).run_id
        == other.run_id
    )
    assert trainer.training.resolve(trainer.session, TrainingKey()) is None


def test_a_session_without_a_training_has_none_to_follow(trainer):
    with pytest.raises(NotFound):
        trainer.training.resolve(trainer.session, TrainingKey(follow_only=True))


@pytest.mark.parametrize(
    "key", ["", "short", "a" * 65, "with a space in it", "comma,separated,ones"]
)
def test_a_malformed_key_is_refused(key):
    call = WaitingCall()
    call.request_metadata["x-fleet-training-key"] = key

    with pytest.raises(InvalidInput, match="16 to 64 letters, digits"):
        TrainingKey.of(call)


def test_the_metadata_of_a_call_identify_its_training():
    call = WaitingCall()
    assert TrainingKey.of(call) == TrainingKey()
    call.request_metadata["x-fleet-training-begun"] = ""
    assert TrainingKey.of(call) == TrainingKey(follow_only=True)
    call.request_metadata["x-fleet-training-key"] = KEY
    assert TrainingKey.of(call) == TrainingKey(KEY, follow_only=True)
