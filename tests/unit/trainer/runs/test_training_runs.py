import threading

import pytest

from fleet_platform.errors import Conflict, DependencyDown, Exhausted, NotFound, OutOfOrder
from fleet_platform.runs import LeaseStatus
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.launcher import attachable
from fleet_trainer.runs.queue import RunQueue
from tests.unit.trainer.fake_trainer import FakeTrainer


@pytest.fixture
def trainer():
    return FakeTrainer()


def test_the_record_of_a_run_has_everything_that_a_worker_needs(trainer):
    run = trainer.launch()

    stored = trainer.runs.read(run.run_id)
    assert trainer.queue.ahead_of(run.run_id) == 0
    assert trainer.session.run_id == run.run_id
    assert stored.pipeline.config_digest == "one"
    assert stored.data_config_json == b'{"d":1}'
    assert stored.state == records.RUN_STATE_QUEUED


def test_a_second_call_attaches_and_reads_from_the_first_message(trainer):
    first = trainer.launch()
    claimed = trainer.runs.claim(first.run_id, "child")
    trainer.send(claimed, messages.starting_statistical())
    second = trainer.launch()
    trainer.complete(claimed)

    assert second.run_id == first.run_id
    assert trainer.runs.active() == []
    assert trainer.texts(second.run_id) == [
        "Starting statistical training",
        "Statistical training complete",
    ]


def test_a_call_of_another_type_cannot_attach(trainer):
    run = trainer.launch()

    with pytest.raises(OutOfOrder, match="TRAINER_TYPE_STATISTICAL"):
        attachable(run, pb.TRAINER_TYPE_GRADIENT)


def test_after_the_end_a_new_run_is_launched(trainer):
    first = trainer.launch()
    trainer.complete(trainer.runs.claim(first.run_id, "child"))

    assert trainer.launch().run_id != first.run_id
    assert trainer.training.active(trainer.session) is not None


def test_a_full_queue_leaves_no_active_run_behind(trainer):
    trainer.runs.create(records.RunRecord(run_id="other", session_id="other"))

    with pytest.raises(Exhausted):
        trainer.launch()

    assert trainer.training.active(trainer.session) is None
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_ERROR


def test_a_run_that_another_trainer_has_claimed_is_not_rejected(trainer, monkeypatch):
    def fail(_queue, run_id):
        trainer.runs.claim(run_id, "fast trainer")
        raise Exhausted("full")

    monkeypatch.setattr(RunQueue, "admit", fail)
    trainer.launch()

    run = trainer.training.active(trainer.session)
    assert (run.owner, run.stop_requested) == ("fast trainer", False)


def test_a_run_that_was_claimed_before_its_call_failed_is_stopped(trainer):
    def claim_and_replace(record):
        (run,) = trainer.runs.active()
        if run.queued:
            trainer.runs.claim(run.run_id, "fast trainer")
        record.pipeline.config_digest = "two"

    update = trainer.sessions.update
    before = trainer.session
    trainer.sessions.update = lambda session_id, change: (
        update(session_id, claim_and_replace),
        update(session_id, change),
    )

    with pytest.raises(Conflict):
        trainer.launch(before)

    (run,) = trainer.runs.active()
    stored = trainer.runs.read(run.run_id)
    assert (stored.owner, stored.stop_requested) == ("fast trainer", True)


def test_a_pipeline_that_is_replaced_at_the_same_time_is_not_trained(trainer):
    before = trainer.session

    def replace(record):
        record.pipeline.config_digest = "two"

    trainer.sessions.update("session", replace)

    with pytest.raises(Conflict, match="replaced"):
        trainer.launch(before)
    assert trainer.runs.active() == []


def test_a_session_that_is_closed_at_the_same_time_launches_nothing(trainer):
    before = trainer.session
    trainer.sessions.delete("session")

    with pytest.raises(NotFound):
        trainer.launch(before)
    assert trainer.runs.active() == []


def test_the_last_message_of_a_failed_run_is_followed_by_its_error(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.runs.finish(
        outcomes.failed(run, DependencyDown("gone")),
        messages.failed("gone").SerializeToString(),
    )

    following = trainer.training.follow(run.run_id, lambda: True)
    message = next(following)

    assert (message.status, message.message) == (pb.TRAIN_STATUS_ERROR, "gone")
    with pytest.raises(DependencyDown, match="gone"):
        next(following)


def test_a_cancelled_run_ends_without_an_error(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.runs.finish(outcomes.cancelled(run), messages.cancelled("stopped").SerializeToString())

    assert trainer.texts(run.run_id) == ["stopped"]


def test_following_ends_when_the_client_has_left(trainer):
    run = trainer.launch()
    trainer.send(trainer.runs.claim(run.run_id, "child"), messages.starting_statistical())
    wanted = iter([True, False])

    assert trainer.texts(run.run_id, lambda: next(wanted)) == ["Starting statistical training"]


def test_followers_at_a_replica_that_stops_are_asked_to_call_again(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.send(run, messages.running("one"))
    following = trainer.training.follow(run.run_id, lambda: True)
    assert next(following).message == "one"
    trainer.training.end_streams()
    with pytest.raises(DependencyDown, match=r"continues\. Call Train again"):
        list(following)


def test_later_messages_are_followed(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.send(run, messages.starting_statistical())
    following = trainer.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Starting statistical training"

    later = threading.Timer(0.05, trainer.complete, [run])
    later.start()

    assert [message.message for message in following] == ["Statistical training complete"]
    later.join()


def test_the_status_follows_the_run(trainer):
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_UNSPECIFIED
    run = trainer.launch()
    assert trainer.training.latest(trainer.session).message == (
        "Waiting for a free training slot: queued, 0 ahead"
    )
    claimed = trainer.runs.claim(run.run_id, "child")
    assert trainer.training.latest(trainer.session) == messages.starting()
    trainer.send(claimed, messages.node_started("RX", 3))
    assert trainer.training.latest(trainer.session).message == "Fitting RX (0/3)"
    trainer.runs.release(run.run_id, claimed.fencing_token, died=True)
    assert "was interrupted and continues" in trainer.training.latest(trainer.session).message
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_RUNNING
    claimed = trainer.runs.claim(run.run_id, "another")
    trainer.send(claimed, messages.started_again())
    assert trainer.training.latest(trainer.session).message == "Started again"
    trainer.complete(claimed)
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_COMPLETE


def test_an_expired_run_does_not_count_as_activity(trainer):
    trainer.sessions.update("session", lambda record: setattr(record, "run_id", "long-ago"))

    assert trainer.training.latest(trainer.session) == messages.no_activity()


def test_a_waiting_run_reports_each_change_of_its_place_in_the_queue(trainer):
    trainer.runs.create(records.RunRecord(run_id="ahead", session_id="other"))
    trainer.executor.free = 1
    trainer.executor.has_worker = False
    run = trainer.launch()
    following = trainer.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Waiting for a free training slot: queued, 1 ahead"

    trainer.runs.claim("ahead", "child")
    message = next(following)
    assert message.message == "Waiting for a free training slot: queued, 0 ahead"
    assert message.status == pb.TRAIN_STATUS_RUNNING

    claimed = trainer.runs.claim(run.run_id, "child")
    trainer.complete(claimed)
    assert [message.message for message in following] == ["Statistical training complete"]


def test_a_run_that_another_trainer_resumes_continues_in_the_same_stream(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.send(run, messages.starting_statistical())
    following = trainer.training.follow(run.run_id, lambda: True)
    assert next(following).message == "Starting statistical training"

    trainer.runs.release(run.run_id, run.fencing_token, died=True)
    assert "was interrupted and continues" in next(following).message
    again = trainer.runs.claim(run.run_id, "another")
    trainer.send(again, messages.started_again())
    trainer.complete(again)

    assert [message.message for message in following] == [
        "Started again",
        "Statistical training complete",
    ]


def test_stopping_an_idle_session_cancels_only_the_next_run(trainer):
    assert "No training runs" in trainer.training.stop(trainer.session)

    run = trainer.launch()

    assert trainer.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    (message,) = trainer.training.follow(run.run_id, lambda: True)
    assert message.status == pb.TRAIN_STATUS_CANCELLED
    assert trainer.runs.read(trainer.launch().run_id).state == records.RUN_STATE_QUEUED


def test_a_waiting_run_is_cancelled_at_once(trainer):
    run = trainer.launch()

    assert "is cancelled" in trainer.training.stop(trainer.session)

    assert trainer.runs.read(run.run_id).state == records.RUN_STATE_CANCELLED
    assert trainer.training.latest(trainer.session).status == pb.TRAIN_STATUS_CANCELLED
    assert trainer.training.active(trainer.session) is None


def test_a_running_run_is_asked_to_stop(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")

    assert "stops at its next batch" in trainer.training.stop(trainer.session)

    assert trainer.runs.heartbeat(run.run_id, run.fencing_token) is LeaseStatus.STOPPING


def test_an_interrupted_run_with_a_checkpoint_is_stopped_by_its_next_owner(trainer):
    run = trainer.runs.claim(trainer.launch().run_id, "child")
    trainer.runs.save_checkpoint(run.run_id, run.fencing_token, "ab" * 32)
    trainer.runs.release(run.run_id, run.fencing_token, died=True)

    assert "stops at its next batch" in trainer.training.stop(trainer.session)

    # Its last epochs are worth publishing, which only a worker can do.
    assert trainer.runs.claim(run.run_id, "another").stop_requested
