"""Training runs over several invocations of the command line."""

import pytest

from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.cli.training.followed_run import FollowedRun, trainers_of
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.saved_pipeline import SavedPipeline

KEY = "a-key-of-the-journal"


def message(status, text=""):
    return Progress("train", status, 0, 0, 0, {}, {}, text, "", 0, 0)


class SessionDouble:
    """A session that trains instantly and records its calls."""

    id = "s1"

    def __init__(self, ends="complete"):
        self.ends = ends
        self.calls = []
        self.keys = []

    def train(self, trainer, *, key):
        self.calls.append(trainer)
        self.keys.append(key)
        yield message("running")
        yield message(self.ends, "by request")

    def follow(self, *, key):
        self.calls.append("follow")
        self.keys.append(key)
        yield message("running")
        yield message(self.ends, "by request")

    def save(self, path):
        self.calls.append(f"save {path}")
        return SavedPipeline(path, "weights")

    def close(self):
        self.calls.append("close")


@pytest.fixture
def journal(tmp_path):
    return SessionJournal(tmp_path)


def run_of(session, journal, **more):
    entry = journal.write(JournalEntry("s1", "h:1", "rx", ("statistical", "gradient"), **more))
    return FollowedRun(session, journal, entry)


def test_trainings_run_in_sequence_and_are_recorded_when_they_start(journal):
    session = SessionDouble()
    run = run_of(session, journal)
    recorded = []
    for trainer, _ in run.start():
        entry = journal.find("s1")
        recorded.append((trainer, entry.phase, entry.key, entry.started))
    first, second = session.keys
    assert recorded == [("statistical", 0, first, True)] * 2 + [("gradient", 1, second, True)] * 2
    assert first != second
    assert session.calls == ["statistical", "gradient"]


def test_a_training_is_recorded_before_it_is_requested(journal):
    session = SessionDouble()

    def refused(_trainer, *, key):
        entry = journal.find("s1")
        assert (entry.key, entry.started) == (key, False)
        raise ConnectionError

    session.train = refused
    with pytest.raises(ConnectionError):
        next(run_of(session, journal).start())


@pytest.mark.parametrize(
    ("recorded", "calls", "keys"),
    [
        ({"key": KEY, "started": True}, ["follow", "gradient"], 2),
        ({"key": KEY, "started": True, "phase": 1}, ["follow"], 1),
        ({"key": KEY}, ["statistical", "gradient"], 2),
        ({"key": KEY, "phase": 1}, ["gradient"], 1),
    ],
)
def test_resuming_does_not_start_a_started_training_again(journal, recorded, calls, keys):
    session = SessionDouble()
    messages = list(run_of(session, journal, **recorded).resume())
    assert session.calls == calls
    assert session.keys[0] == KEY
    assert len(set(session.keys)) == keys
    assert [each.status for _, each in messages] == ["running", "complete"] * keys


def test_a_training_recorded_without_a_key_is_the_newest(journal):
    session = SessionDouble()
    list(run_of(session, journal, phase=1).resume())
    assert (session.calls, session.keys) == (["follow"], [None])


@pytest.mark.parametrize(
    ("status", "text", "code"), [("cancelled", "stopped", 11), ("error", "failed", 1)]
)
def test_an_incomplete_training_is_a_failure(journal, status, text, code):
    with pytest.raises(CommandFailed, match=text) as failed:
        list(run_of(SessionDouble(ends=status), journal).start())
    assert failed.value.code == code
    session = SessionDouble(ends=status)
    with pytest.raises(CommandFailed, match=text):
        list(run_of(session, journal, key=KEY, started=True).resume())
    assert session.calls == ["follow"]


def test_a_session_is_closed_once_its_pipeline_is_saved(journal):
    session = SessionDouble()
    assert run_of(session, journal).finish() is None
    assert journal.find("s1") is not None
    saved = run_of(session, journal, save_path="lab/rx.yaml").finish()
    assert saved.pipeline_path == "lab/rx.yaml"
    assert session.calls == ["save lab/rx.yaml", "close"]
    assert journal.find("s1") is None


@pytest.mark.parametrize(
    ("choice", "trainrun", "trainers"),
    [
        ("auto", {"loss_nodes": []}, ("statistical",)),
        ("auto", {"loss_nodes": ["bce"]}, ("statistical", "gradient")),
        ("gradient", {}, ("gradient",)),
        ("calibration", {}, ("calibration",)),
    ],
)
def test_the_kinds_of_training_come_from_the_trainrun_or_the_user(choice, trainrun, trainers):
    assert trainers_of(choice, trainrun) == trainers


def test_the_error_for_an_unknown_trainer_lists_the_known_ones():
    with pytest.raises(CommandFailed, match="use auto, statistical, gradient, calibration"):
        trainers_of("magic", {})
