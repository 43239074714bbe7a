"""The stack either starts or says in one line why not, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from fleet_local.readiness import is_serving
from fleet_platform.ports import free_ports
from tests.support.polling import wait_until
from tests.support.stacks import REPOSITORY, stack_environment
from tests.support.volumes import full_volume
from tests.support.wire import wire

pytestmark = pytest.mark.e2e

FAILS_WITHIN_S = 120.0
STOPS_WITHIN_S = 120.0


@pytest.fixture
def settings(tmp_path, data_dir):
    """Settings of a stack that could start."""
    more = {"GRPC_PORT": str(free_ports(1)[0]), "RUN_DIR": str(tmp_path / "run")}
    return stack_environment(tmp_path, data_dir, more)


@contextmanager
def _foreground(settings, log, *arguments):
    """A stack as a user starts it; the leader of a process group, as in a terminal."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet_local", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=120)


def _assert_does_not_start(settings, *words):
    done = subprocess.run(
        [sys.executable, "-m", "fleet_local"],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        timeout=FAILS_WITHIN_S,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("cuvis-fleet cannot start: ")
    for word in words:
        assert word in line
    assert done.stdout == ""


def test_a_taken_port_is_told(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {**settings, "GRPC_PORT": str(port)}
        _assert_does_not_start(settings, f"Port {port}", "taken", f"GRPC_PORT={port + 1}")


def test_a_redis_that_does_not_answer_is_told_without_its_password(settings):
    port = free_ports(1)[0]
    settings = {**settings, "REDIS_URL": f"redis://:s3cret@127.0.0.1:{port}/0"}
    _assert_does_not_start(settings, "Redis", "REDIS_URL")


def test_a_redis_address_that_is_none_is_told(settings):
    _assert_does_not_start({**settings, "REDIS_URL": "localhost"}, "REDIS_URL")


@pytest.mark.parametrize("name", ["RUN_DIR", "OUTPUT_DIR", "ARTIFACT_DIR"])
def test_a_folder_that_cannot_be_written_is_told(settings, name):
    folder = "/proc/cuvis-fleet"
    _assert_does_not_start({**settings, name: folder}, folder, f"{name}=")


@pytest.mark.parametrize("name", ["OUTPUT_DIR", "DATA_DIR"])
def test_a_file_in_place_of_a_folder_is_told(settings, tmp_path, name):
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    _assert_does_not_start({**settings, name: str(file)}, str(file), f"{name}=")


def test_a_missing_config_folder_is_told(settings):
    _assert_does_not_start(
        {**settings, "CUVIS_CONFIGS_DIR": "/no/such/configs"},
        "/no/such/configs",
        "CUVIS_CONFIGS_DIR",
    )


@pytest.mark.parametrize(("name", "value"), [("GRPC_PORT", "many"), ("INFERENCE", "0")])
def test_a_setting_that_makes_no_sense_is_told(settings, name, value):
    _assert_does_not_start({**settings, name: value}, name, value)


def test_a_full_volume_is_told(settings, tmp_path):
    with full_volume(tmp_path / "volume") as volume:
        settings = {**settings, "ARTIFACT_DIR": str(volume)}
        _assert_does_not_start(settings, str(volume), "No space left", "ARTIFACT_DIR=")


def test_ctrl_c_stops_every_process(settings, tmp_path):
    address = f"127.0.0.1:{settings['GRPC_PORT']}"
    log = tmp_path / "terminal.log"
    with _foreground(settings, log) as process:
        wait_until(lambda: is_serving(address), "the stack serves", timeout_s=300)
        wait_until(lambda: f"is ready on {address}" in log.read_text(), "the ready line")
        with wire(address) as calls:
            assert calls.session()
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 6, "Redis, four services, the gateway"

        os.killpg(process.pid, signal.SIGINT)

        assert process.wait(timeout=STOPS_WITHIN_S) == 0
        gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
        assert len(gone) == len(family)
    text = log.read_text()
    assert "Traceback" not in text
    assert text.rstrip().endswith("stopped")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "hang-up"])
def test_a_signal_in_the_midst_of_starting_stops_every_process(settings, tmp_path, number):
    parts = tmp_path / "run" / "parts.json"
    with _foreground(settings, tmp_path / "terminal.log") as process:
        wait_until(parts.exists, "the first part runs")
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, number)
        assert process.wait(timeout=STOPS_WITHIN_S) == 0
        _gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []


@pytest.mark.parametrize("serves", [False, True], ids=["starting", "serving"])
def test_a_stack_beside_a_program_does_not_outlive_it(settings, tmp_path, serves):
    parts, begun = tmp_path / "run" / "parts.json", tmp_path / "begun"
    program = ("during", "sh", "-c", f"touch {begun}; exec sleep 300")
    with _foreground(settings, tmp_path / "terminal.log", *program) as process:
        reached = begun if serves else parts
        wait_until(reached.exists, "it is that far", timeout_s=300)
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert process.wait(timeout=STOPS_WITHIN_S) == 128 + signal.SIGTERM
        _gone, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []


def test_output_that_nobody_reads_any_more_stops_every_process(settings, tmp_path):
    parts = tmp_path / "run" / "parts.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "fleet_local"],
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(parts.exists, "the first part runs")
    family = psutil.Process(process.pid).children(recursive=True)
    process.stdout.close()
    assert process.wait(timeout=120) == 0
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
