"""The status of the journal's sessions, as reported by their servers."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from rich.table import Table

from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.report import Report
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.client import Client
from cuvis_fleet.errors import CuvisFleetError, NotFound

_TIMEOUT_S = 5.0

_ANY_TRAINER = "training"
"""Name of an unknown kind of training."""


@dataclass(frozen=True)
class SessionStatus:
    """The status of a session.

    Attributes:
        entry: its entry in the journal.
        status: status of its training; ``gone``: unknown to the server; ``unreachable``: the
            server does not answer.
        message: newest message of its training, or the error.
    """

    entry: JournalEntry
    status: str
    message: str


def look_up(journal: SessionJournal, invocation: Invocation, name: str) -> JournalEntry:
    """Return the session whose id starts with `name`, or assume one at the given address."""
    found = journal.find(name)
    return found or JournalEntry(name, invocation.address, trainrun="", trainers=(_ANY_TRAINER,))


def connected(
    invocation: Invocation, entry: JournalEntry, *, timeout_s: float | None = None
) -> Client:
    """Connect to the server of a session."""
    return replace(invocation, address=entry.address).connect(timeout_s=timeout_s)


def states(invocation: Invocation, entries: Iterable[JournalEntry]) -> list[SessionStatus]:
    """Return the status of sessions as reported by their servers."""
    return [_state(invocation, entry) for entry in entries]


def show_states(report: Report, title: str, found: Sequence[SessionStatus]) -> None:
    """List sessions; `title` is ``runs`` or ``sessions``."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    for column in ("trainrun", "status", "opened", "server", "message"):
        table.add_column(column, overflow="fold")
    for state in found:
        entry = state.entry
        table.add_row(
            entry.session_id,
            entry.trainrun,
            state.status,
            entry.opened,
            entry.address,
            state.message,
        )
    documents = [
        {**asdict(state.entry), "status": state.status, "message": state.message} for state in found
    ]
    report.result({title: documents}, table if found else f"no {title} are recorded")


def _state(invocation: Invocation, entry: JournalEntry) -> SessionStatus:
    try:
        with connected(invocation, entry, timeout_s=_TIMEOUT_S) as client:
            latest = client.attach(entry.session_id).status()
    except NotFound as error:
        return SessionStatus(entry, "gone", error.text)
    except CuvisFleetError as error:
        return SessionStatus(entry, "unreachable", error.text)
    return SessionStatus(entry, latest.status, latest.message)
