"""The entry point of ``cuvis-fleet``, which reports missing libraries."""

import sys

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.extras import MissingExtra, needs_extra


def main() -> None:
    """Run the command line and exit with its exit code."""
    try:
        with needs_extra("cli", "The commands of cuvis-fleet"):
            import platformdirs  # noqa: F401
            import rich  # noqa: F401
            import typer  # noqa: F401
            import yaml  # noqa: F401
    except MissingExtra as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(ExitCode.MISSING)
    from cuvis_fleet.cli.app import app

    app(prog_name="cuvis-fleet")
