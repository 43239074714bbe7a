import json
import logging

import pytest

from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import (
    configure_telemetry,
    current_trace_id,
    current_traceparent,
    logger,
    span_from_traceparent,
    tracer,
)

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def json_lines(capsys):
    configure_telemetry("tested", ServiceSettings(log_format="json"))

    def lines():
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return lines


def test_a_line_inside_a_span_carries_its_ids(json_lines):
    with tracer("fleet.test").start_as_current_span("work"):
        logger("fleet.test").info("inside", run_id="r1")
        trace_id = current_trace_id()
        parent = current_traceparent()
    logger("fleet.test").info("outside")
    inside, outside = json_lines()
    assert inside["event"] == "inside"
    assert inside["logger"] == "fleet.test"
    assert inside["service"] == "tested"
    assert inside["run_id"] == "r1"
    assert parent.startswith(f"00-{inside['trace_id']}-{inside['span_id']}-")
    assert inside["trace_id"] == trace_id
    assert int(trace_id, 16) != 0
    assert "trace_id" not in outside


def test_lines_of_libraries_look_like_ours(json_lines):
    with tracer("fleet.test").start_as_current_span("work"):
        logging.getLogger("some.library").warning("disk %s", "slow")
    (line,) = json_lines()
    assert (line["event"], line["level"]) == ("disk slow", "warning")
    assert (line["logger"], line["service"]) == ("some.library", "tested")
    assert len(line["trace_id"]) == 32


def test_an_exception_stays_on_one_json_line(json_lines):
    logger("fleet.test").error("failed", exc_info=ValueError("broken"))
    (line,) = json_lines()
    assert "ValueError: broken" in line["exception"]


def test_lines_below_the_level_are_not_written(capsys):
    configure_telemetry("tested", ServiceSettings(log_level="WARNING"))
    logger("fleet.test").info("quiet")
    logging.getLogger("some.library").info("quiet")
    logger("fleet.test").warning("loud")
    (line,) = capsys.readouterr().err.splitlines()
    assert "loud" in line


@pytest.mark.parametrize(("color", "escapes"), [(True, True), (False, False), (None, False)])
def test_console_lines_are_single_and_coloured_on_request(capsys, color, escapes):
    configure_telemetry("tested", ServiceSettings(log_color=color))
    logger("fleet.test").info("started", port=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert "started" in line
    assert ("\x1b[" in line) == escapes


def test_a_span_continues_the_trace_of_another_process():
    configure_telemetry("tested", ServiceSettings())
    with span_from_traceparent("child", PARENT):
        assert current_trace_id() == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-0-0-00"])
def test_a_malformed_traceparent_starts_a_new_trace(traceparent):
    configure_telemetry("tested", ServiceSettings())
    with span_from_traceparent("child", traceparent):
        assert int(current_trace_id(), 16) != 0


def test_outside_a_span_there_is_no_traceparent():
    assert current_traceparent() == ""
