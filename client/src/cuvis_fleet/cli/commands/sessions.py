"""``cuvis-fleet sessions``: sessions that this user's command line has opened."""

from typing import Annotated

import typer

from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.cli.sessions.session_journal import SessionJournal
from cuvis_fleet.cli.sessions.session_status import connected, look_up, show_states, states

sessions = typer.Typer(no_args_is_help=True)


@sessions.callback()
def describe() -> None:
    """List and close sessions.

    Servers do not list sessions; the list is of what this user's command line has opened and not
    closed, kept in the state folder of the platform. Whether a session still lives is asked of its
    server; what is gone is listed once more and then forgotten.
    """


@sessions.command("list")
def list_sessions(context: typer.Context) -> None:
    """List the sessions and whether each still lives."""
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    found = states(invocation, journal.entries())
    show_states(invocation.report, "sessions", found)
    for state in found:
        if state.status == "gone":
            journal.forget(state.entry.session_id)


@sessions.command()
def close(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(help="Id of the session, or its beginning.")],
) -> None:
    """End a session; the server frees what it holds."""
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    entry = look_up(journal, invocation, session_id)
    with connected(invocation, entry) as client:
        client.attach(entry.session_id).close()
    journal.forget(entry.session_id)
    document = {"session_id": entry.session_id, "closed": True}
    invocation.report.result(document, f"closed: {entry.session_id}")
