"""``cuvis-fleet sessions``: sessions that this user has opened."""

from typing import Annotated

import typer

from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.cli.sessions.session_journal import SessionJournal
from cuvis_fleet.cli.sessions.session_status import connected, look_up, show_states, states

sessions = typer.Typer(no_args_is_help=True)


@sessions.callback()
def describe() -> None:
    """List and close sessions.

    Servers do not list sessions; these are the ones that this user's command line opened and did
    not close, as recorded in the platform's state folder. Their servers report whether they still
    exist; a session that has expired is listed once more and then removed.
    """


@sessions.command("list")
def list_sessions(context: typer.Context) -> None:
    """List the sessions and their status."""
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    found = states(invocation, journal.entries())
    show_states(invocation.report, "sessions", found)
    for state in found:
        if state.status == "gone":
            journal.remove(state.entry.session_id)


@sessions.command()
def close(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(help="Id of the session, or a unique prefix of it.")],
) -> None:
    """Close a session; the server releases its resources."""
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    entry = look_up(journal, invocation, session_id)
    with connected(invocation, entry) as client:
        client.attach(entry.session_id).close()
    journal.remove(entry.session_id)
    document = {"session_id": entry.session_id, "closed": True}
    invocation.report.result(document, f"closed: {entry.session_id}")
