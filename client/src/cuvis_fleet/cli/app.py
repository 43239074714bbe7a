"""The commands of ``cuvis-fleet`` and their global options."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.commands.bench import bench
from cuvis_fleet.cli.commands.convert import convert
from cuvis_fleet.cli.commands.demo import demo
from cuvis_fleet.cli.commands.doctor import doctor
from cuvis_fleet.cli.commands.infer import infer
from cuvis_fleet.cli.commands.pipelines import pipelines
from cuvis_fleet.cli.commands.preview import preview
from cuvis_fleet.cli.commands.resolve import resolve
from cuvis_fleet.cli.commands.runs import runs
from cuvis_fleet.cli.commands.sessions import sessions
from cuvis_fleet.cli.commands.spectra import spectra
from cuvis_fleet.cli.commands.train import train
from cuvis_fleet.cli.commands.up import up
from cuvis_fleet.cli.exit_code import MEANINGS
from cuvis_fleet.cli.global_options import GlobalOptions
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.report import Report

_ADDRESS = re.compile(r"\S+:\d{1,5}")

app = typer.Typer(
    name="cuvis-fleet",
    cls=GlobalOptions,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="\n\n".join(
        ["Exit codes:", *(f"{code.value}: {meaning}" for code, meaning in MEANINGS.items())]
    ),
)
for _command in (up, doctor, demo, resolve, train, infer, bench, convert, preview, spectra):
    app.command()(_command)
app.add_typer(pipelines, name="pipelines")
app.add_typer(runs, name="runs")
app.add_typer(sessions, name="sessions")


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"cuvis-fleet {version('cuvis-fleet')}")
        raise typer.Exit


@app.callback()
def read_options(
    context: typer.Context,
    *,
    address: Annotated[
        str, typer.Option(envvar="CUVIS_FLEET_ADDRESS", help="host:port of the server.")
    ] = "localhost:50051",
    tls: Annotated[bool, typer.Option("--tls", envvar="CUVIS_FLEET_TLS", help="Use TLS.")] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="CUVIS_FLEET_CA",
            help="PEM file of the certificate authorities to trust; implies --tls.",
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(envvar="CUVIS_FLEET_CERT", help="PEM file of a client certificate."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(envvar="CUVIS_FLEET_KEY_FILE", help="PEM file of its private key."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="CUVIS_FLEET_API_KEY",
            show_envvar=True,
            help="API key or token that identifies the caller; safer as an environment variable.",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001, envvar="CUVIS_FLEET_TIMEOUT", help="Time limit for each call, in seconds."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print only JSON, one object per line.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the tracebacks of errors.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train and run hyperspectral pipelines on a fleet from the terminal.

    The options below can be given before or after a command.
    """
    if not _ADDRESS.fullmatch(address):
        raise typer.BadParameter(f"{address} is not host:port", param_hint="--address")
    if (cert is None) != (key_file is None):
        raise typer.BadParameter(
            "--cert and --key-file must be given together", param_hint="--cert"
        )
    certificate = (cert, key_file) if cert is not None and key_file is not None else None
    if certificate is not None and not tls and ca is None:
        raise typer.BadParameter("a certificate needs TLS; add --tls or --ca", param_hint="--cert")
    context.obj = Invocation(
        address=address,
        tls=tls or ca is not None,
        ca=ca,
        certificate=certificate,
        api_key=api_key,
        timeout_s=timeout,
        debug=debug,
        report=Report(as_json=json),
    )
