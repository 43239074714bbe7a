"""Log lines lead to the traces that they were written in."""

import json

import pytest

from fleet_platform.telemetry.catalogue import spans
from tests.e2e.telemetry.conftest import Observed

# A training in two processes imports torch twice.
pytestmark = pytest.mark.e2e


def test_each_call_has_a_line_with_its_trace_in_its_service(observed: Observed) -> None:
    lines = [line for line in _lines(observed) if line["event"] == "call"]
    for call in observed.workflow.calls:
        [line] = [each for each in lines if each.get("trace_id") == call.trace_id]
        assert (line["method"], line["code"]) == (call.method, "OK")


def test_lines_of_a_training_are_written_in_its_childs_span(observed: Observed) -> None:
    for event in ("run.started", "run.ended"):
        lines = [line for line in _lines(observed) if line["event"] == event]
        assert [line["trace_id"] for line in lines] == [
            call.trace_id for call in observed.workflow.calls if call.method == "Train"
        ]
        runs = {span.span_id for span in observed.spans if span.name == spans.RUN.name}
        assert {line["span_id"] for line in lines} <= runs


def _lines(observed: Observed) -> list[dict[str, str]]:
    """What the services wrote; the supervisor puts the part's name before each line."""
    bodies = (line.partition("{") for line in observed.log.splitlines())
    return [json.loads(brace + rest) for _part, brace, rest in bodies if rest.endswith("}")]
