"""The journal of the sessions that a user has opened."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.formats import UnwritableFile


def entry(session_id, **more):
    return JournalEntry(session_id, "h:1", "rx", ("statistical",), **more)


@pytest.fixture
def journal(tmp_path):
    return SessionJournal(tmp_path / "sessions")


def test_sessions_are_added_found_updated_and_removed(journal):
    assert journal.entries() == []
    second = journal.write(entry("b2", opened="2026-02-02"))
    first = journal.write(entry("b1", opened="2026-01-01", save_path="x.yaml"))
    assert journal.entries() == [first, second]
    assert journal.find("b1") == first
    assert journal.find("c") is None
    journal.write(entry("b2", opened="2026-02-02", phase=1))
    assert journal.find("b2").phase == 1
    journal.remove("b1")
    journal.remove("b1")
    assert [each.session_id for each in journal.entries()] == ["b2"]


def test_the_time_is_recorded_once(journal):
    written = journal.write(entry("a"))
    assert written.opened.endswith("+00:00")
    assert journal.write(written) == written


def test_the_error_for_an_ambiguous_prefix_lists_the_sessions(journal):
    journal.write(entry("ab"))
    journal.write(entry("ac"))
    with pytest.raises(CommandFailed, match="2 sessions start with a: ab, ac"):
        journal.find("a")


@pytest.mark.parametrize("session_id", ["../x", "a/b", "", "a.b", "x" * 65])
def test_an_id_must_not_be_a_path(journal, session_id):
    with pytest.raises(CommandFailed, match="is not a session id"):
        journal.write(entry(session_id))


def test_damaged_files_are_ignored(journal):
    kept = journal.write(entry("a"))
    for name, text in (("b", "{"), ("c", "[]"), ("d", '{"session_id": "d"}'), ("e", "\xff")):
        (journal.folder / f"{name}.json").write_text(text, encoding="latin-1")
    assert journal.entries() == [kept]


def test_concurrent_writes_are_safe(journal):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: journal.write(entry(f"s{number % 4}")), range(64)))
    assert {each.session_id for each in journal.entries()} == {"s0", "s1", "s2", "s3"}
    assert all(path.suffix == ".json" for path in journal.folder.iterdir())


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableFile, match="it records the sessions"):
        SessionJournal(tmp_path / "file" / "sessions").write(entry("a"))
