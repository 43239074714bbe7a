import threading

import pytest

from fleet_platform.errors import Cancelled, Conflict, OutOfOrder
from fleet_platform.testing import MemoryRunStore, MemorySessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord, SessionRecord
from fleet_trainer.worker.progress import Superseded
from fleet_trainer.worker.session_writer import SessionWriter
from tests.unit.trainer.worker_harness import run_context

BEFORE = Pipeline(config_json=b"{}", config_digest="one", weights_digest="")
AFTER = Pipeline(config_json=b"{}", config_digest="one", weights_digest="trained")
CALIBRATED = Pipeline(config_json=b"{1}", config_digest="two", weights_digest="trained")


class _Stores:
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

    def claim(self, **limits):
        run = self.runs.claim("run", "me")
        return SessionWriter(run_context(run, runs=self.runs, sessions=self.sessions), **limits)

    @property
    def session(self):
        return self.sessions.read("session")


@pytest.fixture
def stores():
    return _Stores()


def test_the_pipeline_and_its_training_settings_are_published_to_the_session(stores):
    writer = stores.claim()
    writer.begin()

    writer.publish(CALIBRATED)

    assert stores.session.pipeline == CALIBRATED
    assert stores.session.data_config_json == b"data"
    assert stores.session.training_config_json == b"training"


def test_a_superseded_owner_publishes_nothing(stores):
    late = stores.claim()
    late.begin()
    newer = stores.claim()

    with pytest.raises(Superseded):
        late.publish(AFTER)
    newer.begin()
    with pytest.raises(Superseded):
        late.begin()

    assert stores.session.pipeline == BEFORE


def test_an_owner_that_is_suspended_before_it_publishes_changes_nothing(stores, monkeypatch):
    late = stores.claim()
    late.begin()
    newer = stores.claim()
    newer.begin()
    newer.publish(AFTER)
    # Before it was suspended, the run store answered that the run was its own.
    monkeypatch.setattr(stores.runs, "heartbeat", lambda *_: True)

    with pytest.raises(Superseded):
        late.publish(Pipeline(config_digest="one", weights_digest="old"))

    assert stores.session.pipeline == AFTER


def test_the_next_owner_can_replace_what_a_dead_owner_has_published(stores):
    first = stores.claim()
    first.begin()
    first.publish(CALIBRATED)
    second = stores.claim()
    second.begin()

    second.publish(CALIBRATED)

    assert stores.session.pipeline == CALIBRATED


def test_a_pipeline_that_was_replaced_in_the_meantime_is_kept(stores):
    writer = stores.claim()
    writer.begin()
    stores.sessions.update("session", lambda r: setattr(r.pipeline, "config_digest", "another"))

    with pytest.raises(OutOfOrder, match="replaced"):
        writer.publish(AFTER)

    assert stores.session.pipeline.weights_digest == ""


def test_a_newer_run_of_the_session_is_not_overwritten(stores):
    writer = stores.claim()
    writer.begin()
    stores.sessions.update("session", lambda record: setattr(record, "run_id", "newer"))

    with pytest.raises(Superseded):
        writer.publish(AFTER)


def test_a_closed_session_cancels_the_run(stores):
    writer = stores.claim()
    writer.begin()
    stores.sessions.delete("session")

    for write in (writer.begin, lambda: writer.publish(AFTER)):
        with pytest.raises(Cancelled, match="session was closed"):
            write()


def test_a_run_may_be_claimed_before_its_call_has_recorded_it_in_the_session(stores):
    stores.sessions.update("session", lambda record: record.ClearField("run_id"))
    recording = threading.Timer(
        0.1, stores.sessions.update, ["session", lambda r: setattr(r, "run_id", "run")]
    )
    recording.start()

    stores.claim().begin()

    recording.join()
    assert stores.session.run_fencing_token == 1


def test_a_run_whose_call_broke_off_is_not_trained(stores):
    stores.sessions.update("session", lambda record: record.ClearField("run_id"))

    with pytest.raises(Conflict, match="broke off"):
        stores.claim(launched_within_s=0.05).begin()
