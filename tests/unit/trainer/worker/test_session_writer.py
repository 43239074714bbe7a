import threading

import pytest

from fleet_platform.errors import Cancelled, Conflict, OutOfOrder
from fleet_platform.testing import MemoryRunStore, MemorySessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord, SessionRecord
from fleet_trainer.worker import session_writer
from fleet_trainer.worker.progress import Superseded
from fleet_trainer.worker.session_writer import SessionWriter

BEFORE = Pipeline(config_json=b"{}", config_digest="one", weights_digest="")
AFTER = Pipeline(config_json=b"{}", config_digest="one", weights_digest="trained")
CALIBRATED = Pipeline(config_json=b"{1}", config_digest="two", weights_digest="trained")


class _World:
    def __init__(self):
        self.runs = MemoryRunStore()
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.sessions.create(SessionRecord(session_id="session", pipeline=BEFORE, run_id="run"))
        self.runs.create(
            RunRecord(
                run_id="run",
                session_id="session",
                pipeline=BEFORE,
                data_config_json=b"data",
                training_config_json=b"training",
            )
        )

    def take_up(self):
        run = self.runs.claim("run", "me")
        return SessionWriter(run, runs=self.runs, sessions=self.sessions)

    @property
    def session(self):
        return self.sessions.read("session")


@pytest.fixture
def world():
    return _World()


def test_the_whole_pipeline_and_what_it_was_trained_with_get_into_the_session(world):
    writer = world.take_up()
    writer.begin()

    writer.publish(CALIBRATED)

    assert world.session.pipeline == CALIBRATED
    assert world.session.data_config_json == b"data"
    assert world.session.training_config_json == b"training"


def test_an_owner_that_lost_the_run_publishes_nothing(world):
    late = world.take_up()
    late.begin()
    newer = world.take_up()

    with pytest.raises(Superseded):
        late.publish(AFTER)
    newer.begin()
    with pytest.raises(Superseded):
        late.begin()

    assert world.session.pipeline == BEFORE


def test_an_owner_that_slept_after_its_last_look_at_the_run_changes_nothing(world, monkeypatch):
    late = world.take_up()
    late.begin()
    newer = world.take_up()
    newer.begin()
    newer.publish(AFTER)
    # The run store told it, before it slept, that the run was its own.
    monkeypatch.setattr(world.runs, "heartbeat", lambda *_: True)

    with pytest.raises(Superseded):
        late.publish(Pipeline(config_digest="one", weights_digest="old"))

    assert world.session.pipeline == AFTER


def test_what_an_owner_published_before_it_died_is_no_obstacle_to_the_next(world):
    first = world.take_up()
    first.begin()
    first.publish(CALIBRATED)
    second = world.take_up()
    second.begin()

    second.publish(CALIBRATED)

    assert world.session.pipeline == CALIBRATED


def test_a_pipeline_that_was_replaced_meanwhile_stays(world):
    writer = world.take_up()
    writer.begin()
    world.sessions.update("session", lambda r: setattr(r.pipeline, "config_digest", "another"))

    with pytest.raises(OutOfOrder, match="replaced"):
        writer.publish(AFTER)

    assert world.session.pipeline.weights_digest == ""


def test_a_newer_run_of_the_session_is_not_written_over(world):
    writer = world.take_up()
    writer.begin()
    world.sessions.update("session", lambda record: setattr(record, "run_id", "newer"))

    with pytest.raises(Superseded):
        writer.publish(AFTER)


def test_a_closed_session_cancels(world):
    writer = world.take_up()
    writer.begin()
    world.sessions.delete("session")

    for write in (writer.begin, lambda: writer.publish(AFTER)):
        with pytest.raises(Cancelled, match="session was closed"):
            write()


def test_a_run_may_be_taken_up_before_its_call_has_told_the_session(world):
    world.sessions.update("session", lambda record: record.ClearField("run_id"))
    noting = threading.Timer(
        0.1, world.sessions.update, ["session", lambda r: setattr(r, "run_id", "run")]
    )
    noting.start()

    world.take_up().begin()

    noting.join()
    assert world.session.run_fencing_token == 1


def test_a_run_whose_call_broke_off_is_not_trained(world, monkeypatch):
    monkeypatch.setattr(session_writer, "_NOTED_WITHIN_S", 0.05)
    world.sessions.update("session", lambda record: record.ClearField("run_id"))

    with pytest.raises(Conflict, match="broke off"):
        world.take_up().begin()
