import threading

import pytest

from fleet_platform.errors import Conflict, DependencyDown, Exhausted, NotFound, OutOfOrder
from fleet_platform.runs import LeaseStatus
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.runs import messages as train_messages
from fleet_trainer.runs import outcomes as run_endings
from fleet_trainer.runs.launcher import attachable
from tests.unit.trainer.training_world import TrainingWorld


@pytest.fixture
def world():
    return TrainingWorld()


def test_a_run_has_all_that_a_child_needs(world):
    run = world.start()

    stored = world.runs.read(run.run_id)
    assert world.queue.ahead_of(run.run_id) == 0
    assert world.session.run_id == run.run_id
    assert stored.pipeline.config_digest == "one"
    assert stored.data_config_json == b'{"d":1}'
    assert stored.state == records.RUN_STATE_QUEUED


def test_a_second_call_attaches_and_reads_from_the_first_message(world):
    first = world.start()
    claimed = world.runs.claim(first.run_id, "child")
    world.tell(claimed, train_messages.starting_statistical())
    second = world.start()
    world.complete(claimed)

    assert second.run_id == first.run_id
    assert world.runs.active() == []
    assert world.texts(second.run_id) == [
        "Starting statistical training",
        "Statistical training complete",
    ]


def test_another_type_cannot_attach(world):
    run = world.start()

    with pytest.raises(OutOfOrder, match="TRAINER_TYPE_STATISTICAL"):
        attachable(run, pb.TRAINER_TYPE_GRADIENT)


def test_after_the_end_a_new_run_begins(world):
    first = world.start()
    world.complete(world.runs.claim(first.run_id, "child"))

    assert world.start().run_id != first.run_id
    assert world.training.active(world.session) is not None


def test_a_full_queue_leaves_no_active_run_behind(world):
    world.runs.create(records.RunRecord(run_id="other", session_id="other"))

    with pytest.raises(Exhausted):
        world.start()

    assert world.training.active(world.session) is None
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_ERROR


def test_a_run_that_another_trainer_had_room_for_is_not_refused(world, monkeypatch):
    def fail(run_id):
        world.runs.claim(run_id, "fast trainer")
        raise Exhausted("full")

    monkeypatch.setattr(world.queue, "admit", fail)
    world.start()

    run = world.training.active(world.session)
    assert (run.owner, run.stop_requested) == ("fast trainer", False)


def test_a_run_that_was_taken_up_before_its_call_failed_is_stopped(world):
    def take_up_and_replace(record):
        (run,) = world.runs.active()
        if run.queued:
            world.runs.claim(run.run_id, "fast trainer")
        record.pipeline.config_digest = "two"

    update = world.sessions.update
    before = world.session
    world.sessions.update = lambda session_id, change: (
        update(session_id, take_up_and_replace),
        update(session_id, change),
    )

    with pytest.raises(Conflict):
        world.start(before)

    (run,) = world.runs.active()
    stored = world.runs.read(run.run_id)
    assert (stored.owner, stored.stop_requested) == ("fast trainer", True)


def test_a_pipeline_replaced_in_the_same_moment_is_not_trained(world):
    before = world.session

    def replace(record):
        record.pipeline.config_digest = "two"

    world.sessions.update("session", replace)

    with pytest.raises(Conflict, match="replaced"):
        world.start(before)
    assert world.runs.active() == []


def test_a_session_closed_in_the_same_moment_starts_nothing(world):
    before = world.session
    world.sessions.delete("session")

    with pytest.raises(NotFound):
        world.start(before)
    assert world.runs.active() == []


def test_a_failed_run_is_told_and_then_raised(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.runs.finish(
        run_endings.failed(run, DependencyDown("gone")),
        train_messages.failed("gone").SerializeToString(),
    )

    following = world.training.follow(run.run_id, lambda: True)
    told = next(following)

    assert (told.status, told.message) == (pb.TRAIN_STATUS_ERROR, "gone")
    with pytest.raises(DependencyDown, match="gone"):
        next(following)


def test_a_cancelled_run_ends_without_an_error(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.runs.finish(
        run_endings.cancelled(run), train_messages.cancelled("stopped").SerializeToString()
    )

    assert world.texts(run.run_id) == ["stopped"]


def test_nobody_is_followed_for_a_client_that_left(world):
    run = world.start()
    world.tell(world.runs.claim(run.run_id, "child"), train_messages.starting_statistical())
    wanted = iter([True, False])

    assert world.texts(run.run_id, lambda: next(wanted)) == ["Starting statistical training"]


def test_who_follows_a_run_at_a_replica_that_ends_is_told_to_come_again(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.tell(run, train_messages.running("one"))
    messages = world.training.follow(run.run_id, lambda: True)
    assert next(messages).message == "one"
    world.training.end_streams()
    with pytest.raises(DependencyDown, match=r"goes on\. Call Train again"):
        list(messages)


def test_messages_that_come_later_are_followed(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.tell(run, train_messages.starting_statistical())
    following = world.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Starting statistical training"

    later = threading.Timer(0.05, world.complete, [run])
    later.start()

    assert [message.message for message in following] == ["Statistical training complete"]
    later.join()


def test_the_status_follows_the_run(world):
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_UNSPECIFIED
    run = world.start()
    assert world.training.latest(world.session).message == (
        "Waiting for a free training slot: queued, 0 ahead"
    )
    claimed = world.runs.claim(run.run_id, "child")
    assert world.training.latest(world.session) == train_messages.beginning()
    world.tell(claimed, train_messages.node_started("RX", 3))
    assert world.training.latest(world.session).message == "Fitting RX (0/3)"
    world.runs.release(run.run_id, claimed.fencing_token, died=True)
    assert "was interrupted and goes on" in world.training.latest(world.session).message
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_RUNNING
    claimed = world.runs.claim(run.run_id, "another")
    world.tell(claimed, train_messages.started_again())
    assert world.training.latest(world.session).message == "Started again"
    world.complete(claimed)
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_COMPLETE


def test_a_run_that_the_store_has_forgotten_was_no_activity(world):
    world.sessions.update("session", lambda record: setattr(record, "run_id", "long-ago"))

    assert world.training.latest(world.session) == train_messages.no_activity()


def test_a_waiting_run_tells_how_many_are_ahead_whenever_that_changes(world):
    world.runs.create(records.RunRecord(run_id="ahead", session_id="other"))
    world.pool.free = 1
    world.pool.work_on = lambda _claim: False
    run = world.start()
    following = world.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Waiting for a free training slot: queued, 1 ahead"

    world.runs.claim("ahead", "child")
    told = next(following)
    assert told.message == "Waiting for a free training slot: queued, 0 ahead"
    assert told.status == pb.TRAIN_STATUS_RUNNING

    claimed = world.runs.claim(run.run_id, "child")
    world.complete(claimed)
    assert [message.message for message in following] == ["Statistical training complete"]


def test_a_run_that_goes_on_elsewhere_goes_on_in_the_same_stream(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.tell(run, train_messages.starting_statistical())
    following = world.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Starting statistical training"

    world.runs.release(run.run_id, run.fencing_token, died=True)
    assert "was interrupted and goes on" in next(following).message
    again = world.runs.claim(run.run_id, "another")
    world.tell(again, train_messages.started_again())
    world.complete(again)

    assert [message.message for message in following] == [
        "Started again",
        "Statistical training complete",
    ]


def test_stopping_where_nothing_runs_cancels_the_next_run_and_no_more(world):
    assert "No training runs" in world.training.stop(world.session)

    run = world.start()

    assert world.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    (message,) = world.training.follow(run.run_id, lambda: True)
    assert message.status == pb.TRAIN_STATUS_CANCELLED
    assert world.runs.read(world.start().run_id).state == records.RUN_STATE_QUEUED


def test_a_waiting_run_is_cancelled_at_once(world):
    run = world.start()

    assert "is cancelled" in world.training.stop(world.session)

    assert world.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_CANCELLED
    assert world.training.active(world.session) is None


def test_a_running_run_is_asked_to_stop(world):
    run = world.runs.claim(world.start().run_id, "child")

    assert "stops at its next batch" in world.training.stop(world.session)

    assert world.runs.heartbeat(run.run_id, run.fencing_token) is LeaseStatus.STOPPING


def test_an_interrupted_run_with_a_checkpoint_is_stopped_by_who_takes_it_up(world):
    run = world.runs.claim(world.start().run_id, "child")
    world.runs.save_checkpoint(run.run_id, run.fencing_token, "ab" * 32)
    world.runs.release(run.run_id, run.fencing_token, died=True)

    assert "stops at its next batch" in world.training.stop(world.session)

    # Its last epochs are worth publishing, which only a child can.
    assert world.runs.claim(run.run_id, "another").stop_requested
