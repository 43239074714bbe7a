"""Trainings over several calls of the command line."""

import pytest

from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.followed_run import FollowedRun, trainers_of
from cuvis_fleet.cli.journal import Entry, Journal
from cuvis_fleet.progress import Progress
from cuvis_fleet.saved_pipeline import SavedPipeline


def message(status, text=""):
    return Progress("train", status, 0, 0, 0, {}, {}, text, "", 0, 0)


class SessionDouble:
    """Trains at once; keeps what it was asked for."""

    id = "s1"

    def __init__(self, latest="unspecified", ends="complete"):
        self.latest = latest
        self.ends = ends
        self.asked = []

    def status(self):
        return message(self.latest, "as it stands")

    def train(self, trainer):
        self.asked.append(trainer)
        yield message("running")
        yield message(self.ends, "by request")

    def save(self, path):
        self.asked.append(f"save {path}")
        return SavedPipeline(path, "weights")

    def close(self):
        self.asked.append("close")


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path)


def run_of(session, journal, **more):
    entry = journal.write(Entry("s1", "h:1", "rx", ("statistical", "gradient"), **more))
    return FollowedRun(session, journal, entry)


def test_trainings_follow_one_another_and_are_noted_as_they_begin(journal):
    session = SessionDouble()
    run = run_of(session, journal)
    noted = [(trainer, journal.find("s1").phase) for trainer, _ in run.begin()]
    assert noted == [("statistical", 0)] * 2 + [("gradient", 1)] * 2
    assert session.asked == ["statistical", "gradient"]


@pytest.mark.parametrize(
    ("phase", "latest", "asked"),
    [
        (0, "running", ["statistical", "gradient"]),
        (1, "running", ["gradient"]),
        (0, "complete", ["gradient"]),
        (1, "complete", []),
    ],
)
def test_coming_back_begins_nothing_that_was_done(journal, phase, latest, asked):
    session = SessionDouble(latest)
    messages = list(run_of(session, journal, phase=phase).come_back())
    assert session.asked == asked
    assert messages[-1][1].status == "complete"


@pytest.mark.parametrize(
    ("status", "said", "code"), [("cancelled", "stopped", 11), ("error", "failed", 1)]
)
def test_what_did_not_come_to_its_end_is_a_failure(journal, status, said, code):
    with pytest.raises(CommandFailed, match=said) as failed:
        list(run_of(SessionDouble(ends=status), journal).begin())
    assert failed.value.code == code
    session = SessionDouble(latest=status)
    with pytest.raises(CommandFailed, match=said):
        list(run_of(session, journal).come_back())
    assert session.asked == []


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
