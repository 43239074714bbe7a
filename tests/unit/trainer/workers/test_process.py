"""What a parent hears of a child, whichever way the child ends."""

import queue

import pytest

from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.workers import process as child_process
from fleet_trainer.workers.process import ChildProcess

_DEADLINE_S = 30.0


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """Runs a shell script in place of a child; gives what its parent heard, in order."""

    def run(script):
        program = tmp_path / "child"
        program.write_text(f"#!/bin/sh\nread settings\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setattr(child_process.sys, "executable", str(program))
        told = queue.SimpleQueue()
        child = ChildProcess(
            "{}",
            on_reply=lambda _child, word: told.put(word),
            on_metrics=lambda _child, report: told.put(("metrics", report)),
            on_exit=lambda child: told.put(child.exit_code),
        )
        child.watch()
        lines = []
        while not isinstance(line := told.get(timeout=_DEADLINE_S), int):
            lines.append(line)
        child.join()
        return lines, line

    return run


def test_words_and_metrics_are_told_apart(heard):
    assert heard("""echo ready; echo 'metrics {"a b": []}'; echo done""") == (
        ["ready", ("metrics", '{"a b": []}'), "done"],
        0,
    )


@pytest.mark.parametrize("cut", ["""metrics {"fleet_ep""", "don"])
def test_a_child_that_is_killed_in_the_middle_of_a_word_has_not_said_it(heard, cut):
    assert heard(f"""echo ready; printf '{cut}'; kill -9 $$""") == (["ready"], -9)


def test_a_report_that_no_family_here_knows_hides_nothing():
    registry = MetricRegistry()
    registry.take_report(1, '{"unknown": [["unknown_total", {}, 1.0]]}')
    registry.counter(metrics.EPOCHS).inc()
    assert registry.get_sample_value("fleet_epochs_total") == 1
    assert registry.get_sample_value("unknown_total") is None
