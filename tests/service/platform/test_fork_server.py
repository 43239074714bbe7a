"""A killed serving process is replaced immediately; one that exits is not."""

import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import psutil
import pytest

from fleet_platform.fork_server import ForkServer, with_chosen_ports
from fleet_platform.settings import ServiceSettings
from tests.support.processes.fork_server_program import STOPPED

WITHIN_S = 300.0


@contextmanager
def _program(what: str):
    """The parent process of the program."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.processes.fork_server_program", what],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=WITHIN_S)


def _serving(parent: subprocess.Popen) -> psutil.Process:
    """Wait for the next serving process."""
    return psutil.Process(int(parent.stdout.readline()))


def test_each_killed_process_is_replaced_by_its_parent():
    with _program("wait") as parent:
        seen = [_serving(parent)]
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL):
            seen[-1].send_signal(number)
            seen.append(_serving(parent))
        assert len({process.pid for process in seen}) == len(seen)
        assert seen[-1].ppid() == parent.pid
        assert parent.poll() is None


def test_a_process_that_crashes_at_its_start_is_restarted_until_it_is_stopped():
    with _program("crash") as parent:
        tries = [int(parent.stdout.readline()) for _ in range(4)]
        assert len(set(tries)) == len(tries)
        parent.terminate()
        # The signal arrives in a pause or while another process crashes.
        assert parent.wait(WITHIN_S) in {0, 128 + signal.SIGSEGV}


@pytest.mark.parametrize("code", [0, 7])
def test_a_process_that_exits_ends_its_parent_with_its_code(code):
    with _program(f"exit {code}") as parent:
        assert parent.wait(WITHIN_S) == code
        assert len(parent.stdout.read().splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_to_the_parent_stops_the_process_in_order(number):
    with _program("wait") as parent:
        serving = _serving(parent)
        parent.send_signal(number)
        assert parent.wait(WITHIN_S) == STOPPED
        assert not serving.is_running()


def test_a_stop_signal_before_the_process_handles_signals_is_an_orderly_end():
    with _program("heed nothing") as parent:
        _serving(parent)
        parent.terminate()
        assert parent.wait(WITHIN_S) == 0


def test_a_killed_parent_takes_the_process_with_it():
    with _program("wait") as parent:
        serving = _serving(parent)
        parent.kill()
        assert psutil.wait_procs([serving], timeout=WITHIN_S)[1] == []


def test_a_process_with_threads_is_not_forked():
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait, name="early bird")
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="early bird"):
            ForkServer(lambda: 0).run()
    finally:
        leave.set()
        thread.join()


def test_every_replacement_has_the_ports_of_the_first_process():
    settings = with_chosen_ports(ServiceSettings(service_port=0, metrics_port=0))
    assert 0 not in {settings.service_port, settings.metrics_port}
    assert settings.service_port != settings.metrics_port
    assert with_chosen_ports(settings) == settings


def test_metrics_that_are_not_served_get_no_port():
    assert with_chosen_ports(ServiceSettings()).metrics_port is None
