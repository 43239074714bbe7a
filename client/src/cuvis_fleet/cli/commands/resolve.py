"""``cuvis-fleet resolve``: composes a configuration from its defaults and overrides."""

from typing import Annotated

import typer
import yaml
from rich.syntax import Syntax

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.invocation import current_invocation


def resolve(
    context: typer.Context,
    config: Annotated[
        str,
        typer.Argument(
            metavar="TYPE/NAME",
            help="Such as trainrun/rx_statistical; types are trainrun, pipeline, data, training.",
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Overrides in Hydra's grammar, such as data.batch_size=4."),
    ] = None,
) -> None:
    """Compose a configuration and print it as YAML, or with --json as JSON."""
    config_type, slash, name = config.partition("/")
    if not slash or not name:
        raise CommandFailed(
            f"{config} has no type; write TYPE/NAME, such as trainrun/{config}",
            ExitCode.USAGE,
        )
    invocation = current_invocation(context)
    with invocation.connect() as client, client.session() as session:
        resolved = session.resolve(config_type, name, overrides or []).data
    text = yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True)
    invocation.report.result(resolved, Syntax(text.rstrip(), "yaml", background_color="default"))
