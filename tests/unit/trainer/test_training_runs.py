import threading

import pytest

from fleet_platform.errors import Conflict, DependencyDown, Exhausted, NotFound, OutOfOrder
from fleet_platform.runs import MemoryRunStore
from fleet_platform.sessions import MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer import run_endings, train_messages
from fleet_trainer.lost_runs import LostRuns
from fleet_trainer.training_runs import TrainingRuns, attachable


class _World:
    def __init__(self):
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.runs = MemoryRunStore()
        self.submitted = []
        self.lost = LostRuns(self.runs, owner="trainer", lost_after_s=10.0)
        self.training = TrainingRuns(
            sessions=self.sessions, runs=self.runs, submit=self.submit, lost=self.lost
        )
        self.sessions.create(
            records.SessionRecord(
                format_version=1,
                session_id="session",
                pipeline=records.Pipeline(config_json=b"{}", config_digest="one"),
            )
        )

    def submit(self, run_id):
        self.submitted.append(run_id)

    @property
    def session(self):
        return self.sessions.read("session")

    def start(self, session=None):
        return self.training.start(
            session or self.session,
            pb.TRAINER_TYPE_STATISTICAL,
            data_config_json=b'{"d":1}',
            training_config_json=b"",
        )

    def tell(self, run, *messages):
        for message in messages:
            self.runs.append(run.run_id, run.fencing_token, message.SerializeToString())

    def complete(self, run):
        message = train_messages.complete_statistical()
        self.runs.finish(run_endings.completed(run, "00"), message.SerializeToString())

    def texts(self, run_id, is_wanted=lambda: True):
        return [message.message for message in self.training.follow(run_id, is_wanted)]


@pytest.fixture
def world():
    return _World()


def test_a_run_has_all_that_a_child_needs(world):
    run = world.start()

    stored = world.runs.read(run.run_id)
    assert world.submitted == [run.run_id]
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
    assert world.submitted == [first.run_id]
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


def test_a_full_trainer_leaves_no_active_run_behind(world, monkeypatch):
    def submit(_run_id):
        raise Exhausted("full")

    monkeypatch.setattr(world.training, "_submit", submit)

    with pytest.raises(Exhausted):
        world.start()

    assert world.training.active(world.session) is None
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_ERROR


def test_a_pipeline_replaced_in_the_same_moment_is_not_trained(world):
    before = world.session

    def replace(record):
        record.pipeline.config_digest = "two"

    world.sessions.update("session", replace)

    with pytest.raises(Conflict, match="replaced"):
        world.start(before)
    assert world.submitted == []


def test_a_session_closed_in_the_same_moment_starts_nothing(world):
    before = world.session
    world.sessions.delete("session")

    with pytest.raises(NotFound):
        world.start(before)
    assert world.submitted == []


def test_a_failed_run_is_told_and_then_raised(world):
    run = world.start()
    world.lost.settle(run.run_id, DependencyDown("gone"))

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
    assert world.training.latest(world.session) == train_messages.waiting()
    claimed = world.runs.claim(run.run_id, "child")
    world.tell(claimed, train_messages.node_started("RX", 3))
    assert world.training.latest(world.session).message == "Fitting RX (0/3)"
    world.complete(claimed)
    assert world.training.latest(world.session).status == pb.TRAIN_STATUS_COMPLETE


def test_a_run_that_the_store_has_forgotten_was_no_activity(world):
    world.sessions.update("session", lambda record: setattr(record, "run_id", "long-ago"))

    assert world.training.latest(world.session) == train_messages.no_activity()
