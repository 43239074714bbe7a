"""``cuvis-fleet runs``: trainings that this user's command line has begun."""

from typing import Annotated

import typer

from cuvis_fleet.cli.curves_picture import CURVES, CurvesPicture
from cuvis_fleet.cli.followed_run import FollowedRun
from cuvis_fleet.cli.invocation import invocation
from cuvis_fleet.cli.journal import Entry, Journal
from cuvis_fleet.cli.noted_sessions import connected, look_up, show_states, states
from cuvis_fleet.cli.train_command import WATCH, follow

runs = typer.Typer(no_args_is_help=True)
RUN_ID = Annotated[
    str, typer.Argument(help="Id of the session that the training belongs to, or its beginning.")
]


@runs.callback()
def describe() -> None:
    """List, rejoin and stop trainings.

    Servers do not list what runs; the list is of what `train` of this user has begun.
    """


@runs.command("list")
def list_runs(context: typer.Context) -> None:
    """List the trainings and how each stands."""
    asked = invocation(context)
    show_states(asked.report, "runs", states(asked, Journal.of_user().entries()))


@runs.command()
def attach(
    context: typer.Context, run_id: RUN_ID, watch: WATCH = False, curves: CURVES = None
) -> None:
    """Follow a training again, from its first message. Ctrl-C leaves; it goes on."""
    picture = CurvesPicture(curves)
    asked = invocation(context)
    journal = Journal.of_user()
    entry = look_up(journal, asked, run_id)
    with connected(asked, entry) as client:
        run = FollowedRun(client.attach(entry.session_id), journal, entry)
        follow(asked.report, run, run.come_back(), picture, watch=watch)


@runs.command()
def stop(context: typer.Context, run_id: RUN_ID) -> None:
    """Stop a training at its next batch or node."""
    asked = invocation(context)
    entry: Entry = look_up(Journal.of_user(), asked, run_id)
    with connected(asked, entry) as client:
        message = client.attach(entry.session_id).stop()
    asked.report.result({"session_id": entry.session_id, "message": message}, message)
