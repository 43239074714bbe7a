"""``cuvis-fleet train``: starts and follows training runs."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

import typer
from rich.text import Text

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.invocation import current_invocation
from cuvis_fleet.cli.report import Report
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.cli.training.curves_picture import CURVES, CurvesPicture
from cuvis_fleet.cli.training.followed_run import FollowedRun, trainers_of
from cuvis_fleet.cli.training.training_views import training_view
from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.models.progress import Progress

WATCH = Annotated[
    bool,
    typer.Option(
        "--watch", help="Draw a progress bar, losses, metrics and curves in the terminal."
    ),
]


def train(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Trainrun, such as rx_statistical.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Overrides in Hydra's grammar, such as data.batch_size=4."),
    ] = None,
    *,
    trainer: Annotated[
        str,
        typer.Option(
            help="statistical, gradient, calibration, or auto: statistical, then gradient if "
            "the trainrun has losses."
        ),
    ] = "auto",
    save: Annotated[
        str,
        typer.Option(
            help="Path under which the server saves the trained pipeline, such as lab/rx.yaml; "
            "default: it stays in the session, which is left open."
        ),
    ] = "",
    watch: WATCH = False,
    curves: CURVES = None,
) -> None:
    """Start the training of a trainrun and follow it. Ctrl-C detaches; the training continues."""
    picture = CurvesPicture(curves)
    invocation = current_invocation(context)
    journal = SessionJournal.of_user()
    with invocation.connect() as client:
        session = client.open_session()
        try:
            trainrun = session.resolve("trainrun", name, overrides or [])
            trainers = trainers_of(trainer, trainrun.data)
            session.apply(trainrun)
            entry = JournalEntry(session.id, invocation.address, name, trainers, save_path=save)
            journal.write(entry)
        except BaseException:
            with suppress(CuvisFleetError):
                session.close()
            raise
        run = FollowedRun(session, journal, entry)
        follow(invocation.report, run, run.start(), picture, watch=watch)


def follow(
    report: Report,
    run: FollowedRun,
    messages: Iterator[tuple[str, Progress]],
    curves: CurvesPicture,
    *,
    watch: bool,
) -> None:
    """Show a run until its end and report its result; Ctrl-C detaches.

    The curves of the messages so far are drawn in each case.
    """
    entry = run.entry
    if report.as_json:
        report.line({"event": "session", "session_id": entry.session_id})
    try:
        with training_view(report, entry.trainrun, watch=watch) as view:
            for trainer, progress in messages:
                view.show(trainer, progress)
                curves.add(progress)
    except KeyboardInterrupt:
        _report_detached(report, entry, curves.draw(report, entry.trainrun))
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except (CommandFailed, CuvisFleetError):
        curves.draw(report, entry.trainrun)
        raise
    saved = run.finish()
    document: dict[str, object] = {
        "event": "complete",
        "session_id": entry.session_id,
        "pipeline_path": None if saved is None else saved.pipeline_path,
        "weights_path": None if saved is None else saved.weights_path,
        "curves": curves.draw(report, entry.trainrun),
    }
    if saved is not None:
        shown = f"saved: {saved.pipeline_path}\nweights: {saved.weights_path}"
    else:
        shown = (
            f"Session {entry.session_id} contains the trained pipeline:\n"
            f"  cuvis-fleet infer FILE --session {entry.session_id} --out scores.npz\n"
            f"  cuvis-fleet sessions close {entry.session_id}"
        )
    report.result(document, Text(shown, overflow="fold"))


def _report_detached(report: Report, entry: JournalEntry, curves: str | None) -> None:
    if report.as_json:
        report.line({"event": "detached", "session_id": entry.session_id, "curves": curves})
    report.note(
        "Detached; the training continues.\n"
        f"  reattach: cuvis-fleet runs attach {entry.session_id}\n"
        f"  stop:     cuvis-fleet runs stop {entry.session_id}"
    )
