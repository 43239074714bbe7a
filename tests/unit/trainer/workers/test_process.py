"""What the trainer learns of a worker process, no matter how the process ends."""

import os
import queue
import signal
import socket
import sys
from pathlib import Path

import pytest

from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.messages import Finished, MetricsReport, Ready, Retire
from fleet_trainer.workers import WorkerProcess

_DEADLINE_S = 300.0


class _Watched:
    """A watched process and everything that it has sent."""

    def __init__(self, target):
        self.process = WorkerProcess(TrainerSettings(log_level="ERROR"), target)
        self._received = queue.SimpleQueue()
        self.process.watch(self._received.put, lambda: self._received.put(self.process.exit_code))

    def next(self):
        return self._received.get(timeout=_DEADLINE_S)

    def rest(self):
        """Wait for the end; return the remaining messages and the exit code."""
        messages = []
        while not isinstance(message := self.next(), int):
            messages.append(message)
        self.process.join()
        return messages, message


@pytest.fixture
def start():
    started = []

    def start(target):
        started.append(_Watched(target))
        return started[-1]

    yield start
    for watched in started:
        watched.process.kill()
        watched.process.join()


def _report_settings(settings, connection):
    connection.send(settings.log_level)
    connection.send(MetricsReport("{}"))


def test_a_process_receives_the_settings_and_its_messages_arrive_in_order(start):
    assert start(_report_settings).rest() == (["ERROR", MetricsReport("{}")], 0)


def _echo(_settings, connection):
    connection.send(Ready())
    while (message := connection.recv()) != Retire():
        connection.send(message)
        connection.send(Finished(is_spent=True))


def test_assignments_reach_the_process_until_it_is_retired(start):
    watched = start(_echo)
    assert watched.next() == Ready()

    watched.process.assign(Assignment("run", 7))
    watched.process.retire()

    assert watched.rest() == ([Assignment("run", 7), Finished(is_spent=True)], 0)
    watched.process.assign(Assignment("late", 1))  # is ignored


def _die_while_sending(_settings, connection):
    connection.send(Ready())
    # The length of a message, and less than that of its content.
    os.write(connection.fileno(), b"\x00\x00\x00\x63cut")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_message_that_is_cut_off_by_a_kill_is_dropped(start):
    assert start(_die_while_sending).rest() == ([Ready()], -signal.SIGKILL)


def _fail(_settings, _connection):
    sys.exit(3)


def test_the_exit_code_is_known_when_the_exit_is_reported(start):
    assert start(_fail).rest() == ([], 3)


def _hang(_settings, connection):
    connection.send(Ready())
    while True:
        signal.pause()


def test_only_the_process_that_hangs_is_killed(start):
    hanging, other = start(_hang), start(_echo)
    assert hanging.next() == other.next() == Ready()

    hanging.process.kill()

    assert hanging.rest() == ([], -signal.SIGKILL)
    assert other.process.exit_code is None


def _list_descriptors(_settings, connection):
    links = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
    connection.send([str(link.readlink()) for link in links])


def test_a_process_inherits_no_sockets_of_the_trainer(start, tmp_path):
    with socket.socket() as listening, (tmp_path / "file").open("w"):
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        inode = str(Path(f"/proc/self/fd/{listening.fileno()}").readlink())
        (links,), _ = start(_list_descriptors).rest()

    assert inode not in links
    assert not any(link.endswith("/file") for link in links)


def test_a_report_with_an_unknown_family_does_not_hide_the_others():
    registry = MetricRegistry()
    registry.take_report(1, '{"unknown": [["unknown_total", {}, 1.0]]}')
    registry.counter(metrics.EPOCHS).inc()
    assert registry.get_sample_value("fleet_epochs_total") == 1
    assert registry.get_sample_value("unknown_total") is None
