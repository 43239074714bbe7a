"""Loads a pipeline by its name into a session."""

from pathlib import PurePosixPath

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.client import Client
from cuvis_fleet.errors import NotFound
from cuvis_fleet.session import Session


def load_named(client: Client, session: Session, name: str, weights: str | None) -> str | None:
    """Load a pipeline that the server offers, or one that was saved below its output folder.

    Args:
        client: the client of the session.
        session: the session that runs the pipeline.
        name: path or unique name of an offered pipeline, or the path of a saved one.
        weights: weights file on the server; None: the one beside the pipeline.

    Returns:
        The weights file; None: the initial weights are used, as no file is beside the pipeline.

    Raises:
        NotFound: no pipeline has this name; the text lists the closest names.
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
    """Check that exactly one of the two options was given.

    Raises:
        CommandFailed: neither or both were given.
    """
    if (pipeline is None) == (session_id is None):
        raise CommandFailed(
            "give either --pipeline, one of the server's, or --session, one left open by `train`",
            ExitCode.USAGE,
        )
