"""The sessions of the journal, and what their servers say of them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from rich.table import Table

from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.journal import Entry, Journal
from cuvis_fleet.cli.report import Report
from cuvis_fleet.client import Client
from cuvis_fleet.errors import CuvisFleetError, NotFound

_TIMEOUT_S = 5.0

_ANY_TRAINER = "training"
"""Name of the kind where it is not known."""


@dataclass(frozen=True)
class State:
    """A session and how it stands.

    Attributes:
        entry: of the journal.
        status: of its training; ``gone``: the server does not know it; ``unreachable``: no answer.
        message: newest of its training, or what went wrong.
    """

    entry: Entry
    status: str
    message: str


def look_up(journal: Journal, asked: Invocation, name: str) -> Entry:
    """The noted session whose id begins with `name`, or one of that id at the asked address."""
    found = journal.find(name)
    return found or Entry(name, asked.address, trainrun="", trainers=(_ANY_TRAINER,))


def connected(asked: Invocation, entry: Entry, *, timeout_s: float | None = None) -> Client:
    """A connection to the server of a session."""
    return replace(asked, address=entry.address).connect(timeout_s=timeout_s)


def states(asked: Invocation, entries: Iterable[Entry]) -> list[State]:
    """Ask the servers how sessions stand."""
    return [_state(asked, entry) for entry in entries]


def show_states(report: Report, what: str, found: Sequence[State]) -> None:
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


def _state(asked: Invocation, entry: Entry) -> State:
    try:
        with connected(asked, entry, timeout_s=_TIMEOUT_S) as client:
            latest = client.attach(entry.session_id).status()
    except NotFound as error:
        return State(entry, "gone", error.text)
    except CuvisFleetError as error:
        return State(entry, "unreachable", error.text)
    return State(entry, latest.status, latest.message)
