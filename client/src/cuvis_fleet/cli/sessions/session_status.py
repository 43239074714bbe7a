"""The sessions of the journal, and what their servers say of them."""

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
"""Name of the kind where it is not known."""


@dataclass(frozen=True)
class SessionStatus:
    """A session and how it stands.

    Attributes:
        entry: of the journal.
        status: of its training; ``gone``: the server does not know it; ``unreachable``: no answer.
        message: newest of its training, or what went wrong.
    """

    entry: JournalEntry
    status: str
    message: str


def look_up(journal: SessionJournal, invocation: Invocation, name: str) -> JournalEntry:
    """The noted session whose id begins with `name`, or one of that id at the asked address."""
    found = journal.find(name)
    return found or JournalEntry(name, invocation.address, trainrun="", trainers=(_ANY_TRAINER,))


def connected(
    invocation: Invocation, entry: JournalEntry, *, timeout_s: float | None = None
) -> Client:
    """A connection to the server of a session."""
    return replace(invocation, address=entry.address).connect(timeout_s=timeout_s)


def states(invocation: Invocation, entries: Iterable[JournalEntry]) -> list[SessionStatus]:
    """Ask the servers how sessions stand."""
    return [_state(invocation, entry) for entry in entries]


def show_states(report: Report, what: str, found: Sequence[SessionStatus]) -> None:
    """List sessions under the name `what`."""
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
    report.result({what: documents}, table if found else f"no {what} are noted")


def _state(invocation: Invocation, entry: JournalEntry) -> SessionStatus:
    try:
        with connected(invocation, entry, timeout_s=_TIMEOUT_S) as client:
            latest = client.attach(entry.session_id).status()
    except NotFound as error:
        return SessionStatus(entry, "gone", error.text)
    except CuvisFleetError as error:
        return SessionStatus(entry, "unreachable", error.text)
    return SessionStatus(entry, latest.status, latest.message)
