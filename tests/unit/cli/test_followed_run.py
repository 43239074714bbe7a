"""Trainings over several calls of the command line."""

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
    """Trains at once; keeps what it was asked for."""

    id = "s1"

    def __init__(self, ends="complete"):
        self.ends = ends
        self.asked = []
        self.keys = []

    def train(self, trainer, *, key):
        self.asked.append(trainer)
        self.keys.append(key)
        yield message("running")
        yield message(self.ends, "by request")

    def follow(self, *, key):
        self.asked.append("follow")
        self.keys.append(key)
        yield message("running")
        yield message(self.ends, "by request")

    def save(self, path):
        self.asked.append(f"save {path}")
        return SavedPipeline(path, "weights")

    def close(self):
        self.asked.append("close")


@pytest.fixture
def journal(tmp_path):
    return SessionJournal(tmp_path)


def run_of(session, journal, **more):
    entry = journal.write(JournalEntry("s1", "h:1", "rx", ("statistical", "gradient"), **more))
    return FollowedRun(session, journal, entry)


def test_trainings_follow_one_another_and_are_noted_as_they_begin(journal):
    session = SessionDouble()
    run = run_of(session, journal)
    noted = []
    for trainer, _ in run.start():
        entry = journal.find("s1")
        noted.append((trainer, entry.phase, entry.key, entry.begun))
    first, second = session.keys
    assert noted == [("statistical", 0, first, True)] * 2 + [("gradient", 1, second, True)] * 2
    assert first != second
    assert session.asked == ["statistical", "gradient"]


def test_a_training_is_noted_before_it_is_asked_for(journal):
    session = SessionDouble()

    def refused(_trainer, *, key):
        entry = journal.find("s1")
        assert (entry.key, entry.begun) == (key, False)
        raise ConnectionError

    session.train = refused
    with pytest.raises(ConnectionError):
        next(run_of(session, journal).start())


@pytest.mark.parametrize(
    ("noted", "asked", "keys"),
    [
        ({"key": KEY, "begun": True}, ["follow", "gradient"], 2),
        ({"key": KEY, "begun": True, "phase": 1}, ["follow"], 1),
        ({"key": KEY}, ["statistical", "gradient"], 2),
        ({"key": KEY, "phase": 1}, ["gradient"], 1),
    ],
)
def test_coming_back_begins_nothing_that_was_begun(journal, noted, asked, keys):
    session = SessionDouble()
    messages = list(run_of(session, journal, **noted).resume())
    assert session.asked == asked
    assert session.keys[0] == KEY
    assert len(set(session.keys)) == keys
    assert [each.status for _, each in messages] == ["running", "complete"] * keys


def test_a_training_that_was_noted_without_a_key_is_the_newest(journal):
    session = SessionDouble()
    list(run_of(session, journal, phase=1).resume())
    assert (session.asked, session.keys) == (["follow"], [None])


@pytest.mark.parametrize(
    ("status", "said", "code"), [("cancelled", "stopped", 11), ("error", "failed", 1)]
)
def test_what_did_not_come_to_its_end_is_a_failure(journal, status, said, code):
    with pytest.raises(CommandFailed, match=said) as failed:
        list(run_of(SessionDouble(ends=status), journal).start())
    assert failed.value.code == code
    session = SessionDouble(ends=status)
    with pytest.raises(CommandFailed, match=said):
        list(run_of(session, journal, key=KEY, begun=True).resume())
    assert session.asked == ["follow"]


def test_a_session_is_closed_once_its_pipeline_is_saved(journal):
    session = SessionDouble()
    assert run_of(session, journal).finish() is None
    assert journal.find("s1") is not None
    saved = run_of(session, journal, save_path="lab/rx.yaml").finish()
    assert saved.pipeline_path == "lab/rx.yaml"
    assert session.asked == ["save lab/rx.yaml", "close"]
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


def test_an_unknown_kind_is_told_with_the_known():
    with pytest.raises(CommandFailed, match="use auto, statistical, gradient, calibration"):
        trainers_of("magic", {})
