"""``cuvis-fleet runs``: training runs that this user has started."""

from typing import Annotated

import typer

from cuvis_fleet.cli.commands.train import WATCH, follow
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.cli.sessions.session_status import connected, look_up, show_states, states
from cuvis_fleet.cli.training.curves_picture import CURVES, CurvesPicture
from cuvis_fleet.cli.training.followed_run import FollowedRun

runs = typer.Typer(no_args_is_help=True)
RUN_ID = Annotated[
    str, typer.Argument(help="Id of the training's session, or a unique prefix of it.")
]


@runs.callback()
def describe() -> None:
    """List, rejoin and stop training runs.

    Servers do not list training runs; these are the ones that this user started with `train`.
    """


@runs.command("list")
def list_runs(context: typer.Context) -> None:
    """List the training runs and their status."""
    invocation = current_invocation(context)
    show_states(invocation.report, "runs", states(invocation, SessionJournal.of_user().entries()))


@runs.command()
def attach(
    context: typer.Context, run_id: RUN_ID, watch: WATCH = False, curves: CURVES = None
) -> None:
    """Follow a training again from its first message. Ctrl-C detaches; the training continues."""
    picture = CurvesPicture(curves)
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    entry = look_up(journal, invocation, run_id)
    with connected(invocation, entry) as client:
        run = FollowedRun(client.attach(entry.session_id), journal, entry)
        follow(invocation.report, run, run.resume(), picture, watch=watch)


@runs.command()
def stop(context: typer.Context, run_id: RUN_ID) -> None:
    """Stop a training at its next batch or node."""
    invocation = current_invocation(context)
    entry: JournalEntry = look_up(SessionJournal.of_user(), invocation, run_id)
    with connected(invocation, entry) as client:
        message = client.attach(entry.session_id).stop()
    invocation.report.result({"session_id": entry.session_id, "message": message}, message)
