"""From a pipeline's name to a session that runs it."""

from pathlib import PurePosixPath

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.client import Client
from cuvis_fleet.errors import NotFound
from cuvis_fleet.session import Session


def load_named(client: Client, session: Session, name: str, weights: str | None) -> str | None:
    """Load a pipeline that the server offers, or one that was saved below its output folder.

    Args:
        client: of the session.
        session: that is to run it.
        name: path or unique name of an offered one, or the path that one was saved under.
        weights: file of the server; None: those that lie beside the pipeline.

    Returns:
        The weights' file; None: there is none beside it, and the initial weights are used.

    Raises:
        NotFound: there is none of this name; the text has the nearest.
    """
    try:
        info = client.pipeline(name)
    except NotFound as unknown:
        stem = str(PurePosixPath(name).with_suffix("")) if name.endswith(".yaml") else name
        try:
            config = session.resolve("pipeline", stem)
        except NotFound:
            raise unknown from None
        beside: str | None = f"{stem}.pt"
    else:
        config = session.resolve("pipeline", info.path.removesuffix(".yaml"))
        beside = info.weights_path or None
    chosen = weights or beside
    session.load(config, chosen)
    return chosen


def one_of(pipeline: str | None, session_id: str | None) -> None:
    """Check that exactly one of the two was given.

    Raises:
        CommandFailed: none or both.
    """
    if (pipeline is None) == (session_id is None):
        raise CommandFailed(
            "say either --pipeline, one that the server has, or --session, one that `train` left",
            ExitCode.USAGE,
        )
