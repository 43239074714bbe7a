"""Write the tables of ``docs/telemetry.md`` from the registry of spans and metrics.

``python -m docs.telemetry_table`` puts them between the document's markers; with ``--check`` it
only reports whether the document is current.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from docs.marked_tables import replace_table, write_or_check
from fleet_platform.telemetry.catalogue import Metric, SpanName, metrics, spans

DOCUMENT = Path(__file__).resolve().parent / "telemetry.md"


def replace_tables(document: str) -> str:
    """Return `document` with current tables between its markers."""
    for name, table in (
        ("spans", _spans(spans.SPANS)),
        ("metrics", _metrics(metrics.METRICS)),
        ("library metrics", _metrics(metrics.LIBRARY_METRICS)),
    ):
        document = replace_table(document, name, table)
    return document


def _spans(names: Iterable[SpanName]) -> str:
    lines = ["| span | made by | tracer | what it covers | attributes |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [
        f"| `{span.name}` | {_who(span.services)} | {_code(span.scope)} | {span.meaning} "
        f"| {_codes(span.attributes)} |"
        for span in names
    ]
    return "\n".join(lines) + "\n"


def _metrics(names: Iterable[Metric]) -> str:
    lines = ["| metric | kind | labels | reported by | meaning |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [
        f"| `{metric.name}` | {metric.kind} | {_codes(metric.labels)} | {_who(metric.services)} "
        f"| {metric.meaning}{_only(metric)} |"
        for metric in names
    ]
    return "\n".join(lines) + "\n"


def _who(services: tuple[str, ...]) -> str:
    return "every service" if len(services) == 4 else ", ".join(services)


def _only(metric: Metric) -> str:
    return f" Only with {metric.only_with}." if metric.only_with else ""


def _codes(words: Iterable[str]) -> str:
    return ", ".join(_code(word) for word in words)


def _code(word: str) -> str:
    return f"`{word}`" if word else "Envoy's"


def main() -> int:
    """Run the command line; return the exit status."""
    return write_or_check(
        DOCUMENT,
        replace_tables,
        sys.argv[1:],
        source="the registry",
        command="python -m docs.telemetry_table",
    )


if __name__ == "__main__":
    sys.exit(main())
