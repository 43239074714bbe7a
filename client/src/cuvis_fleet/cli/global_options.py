"""Global options, which can be given before or after a command."""

import traceback
from collections.abc import Collection, Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from cuvis_fleet.cli.failures import FailureReport
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.report import Report

_LOCAL = frozenset({"--help", "--install-completion", "--show-completion"})


class GlobalOptions(TyperGroup):
    """The group of all commands: accepts its options anywhere and reports failures."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse the command line with global options moved to the front."""
        takes_value = {
            name: not getattr(parameter, "is_flag", False)
            for parameter in self.params
            for name in (*parameter.opts, *parameter.secondary_opts)
            if name.startswith("--") and name not in _LOCAL
        }
        rest: list[str] = super().parse_args(ctx, hoisted(args, takes_value))
        return rest

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command; report an error as one line and an exit code."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except Exception as error:
            if _is_handled_by_typer(error):
                raise
            invocation = ctx.find_object(Invocation)
            if invocation is None:
                raise
            failure = FailureReport.of(error)
            _report(invocation.report, failure, error, debug=invocation.debug)
            raise typer.Exit(failure.code) from error


def hoisted(args: Collection[str], takes_value: Mapping[str, bool]) -> list[str]:
    """Return `args` with the options of `takes_value`, and their values, moved to the front.

    Args:
        args: the command line; arguments after ``--`` are not moved.
        takes_value: for each option, whether a value follows it.
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
            break
        name, equals, _ = word.partition("=")
        if name not in takes_value:
            rest.append(word)
            continue
        front.append(word)
        if takes_value[name] and not equals:
            front += [value for value in [next(waiting, None)] if value is not None]
    return [*front, *rest]


def _is_handled_by_typer(error: Exception) -> bool:
    """Return whether typer handles an error: wrong usage, or the end of the command."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "show")


def _report(report: Report, failure: FailureReport, error: Exception, *, debug: bool) -> None:
    if debug:
        lines = "".join(traceback.format_exception(error))
        report.err.print(lines.rstrip(), markup=False, highlight=False, soft_wrap=True)
    report.failure(failure)
