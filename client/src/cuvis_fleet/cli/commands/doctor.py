"""``cuvis-fleet doctor``: checks this machine and the server, with remedies."""

from dataclasses import asdict
from itertools import chain

import typer
from rich.table import Table
from rich.text import Text

from cuvis_fleet.cli.checks.finding import Finding
from cuvis_fleet.cli.checks.machine_checks import machine_findings
from cuvis_fleet.cli.checks.server_checks import server_findings
from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.invocation import current_invocation

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(context: typer.Context) -> None:
    """Check this machine and the server and suggest remedies; exit code 1 if a check fails."""
    invocation = current_invocation(context)
    findings = list(chain(machine_findings(invocation), server_findings(invocation)))
    failed = any(finding.level == "fail" for finding in findings)
    document = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
    invocation.report.result(document, findings_table(findings))
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def findings_table(findings: list[Finding]) -> Table:
    """Return a table with one row for each check."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", min_width=8)
    table.add_column(overflow="fold", ratio=1)
    for finding in findings:
        text = Text(finding.found)
        if finding.remedy:
            text.append(f"\n→ {finding.remedy}", style="italic")
        table.add_row(Text(finding.level, _STYLES[finding.level]), finding.check, text)
    return table
