import threading
import time

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from fleet_platform.errors import DependencyDown
from fleet_platform.rpc import health
from fleet_platform.rpc.health import HealthMonitor
from tests.support.polling import wait_until

NAMES = ("", "tested")


@pytest.fixture
def monitor_of():
    started = []

    def make(on_serving=lambda: None, **probes):
        monitor = HealthMonitor(probes, NAMES, 0.01, on_serving)
        started.append(monitor)
        return monitor

    yield make
    for monitor in started:
        monitor.stop()


def test_it_is_not_serving_before_the_first_round_and_serving_after_it(monitor_of):
    monitor = monitor_of(redis=lambda: None)
    assert not monitor.serving
    monitor.start()
    assert monitor.serving


def test_one_dependency_that_is_down_makes_all_names_not_serving(monitor_of, capsys):
    down = threading.Event()
    became_serving = []

    def redis():
        if down.is_set():
            raise DependencyDown("Redis does not answer.")

    monitor = monitor_of(lambda: became_serving.append(1), redis=redis, artifacts=lambda: None)
    monitor.start()
    down.set()
    wait_until(lambda: not monitor.serving, "not serving")
    down.clear()
    wait_until(lambda: monitor.serving, "serving")
    wait_until(lambda: len(became_serving) == 2, "reported twice")
    log = capsys.readouterr()
    assert "Redis does not answer." in log.out + log.err


def test_liveness_ignores_a_dependency_that_is_down(monitor_of):
    def redis():
        raise DependencyDown("Redis does not answer.")

    monitor = monitor_of(redis=redis)
    monitor.start()

    def status(service):
        return monitor.servicer.Check(HealthCheckRequest(service=service), None).status

    assert (status("tested"), status("liveness")) == (
        HealthCheckResponse.NOT_SERVING,
        HealthCheckResponse.SERVING,
    )
    monitor.stop()
    assert status("liveness") == HealthCheckResponse.NOT_SERVING


def test_a_hanging_probe_counts_as_down_and_starts_no_more_threads(monitor_of, monkeypatch):
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.05)
    release = threading.Event()
    hanging, rounds = [], []

    def hang():
        hanging.append(1)
        release.wait(120)

    monitor = monitor_of(hang=hang, fine=lambda: rounds.append(1))
    monitor.start()
    assert not monitor.serving
    wait_until(lambda: len(rounds) > 4, "five rounds")
    assert len(hanging) == 1
    assert sum(thread.name == "probe-hang" for thread in threading.enumerate()) == 1
    release.set()
    wait_until(lambda: monitor.serving, "serving")


def test_a_probe_gets_one_second(monitor_of):
    release = threading.Event()
    monitor = monitor_of(hang=lambda: release.wait(120))
    started_s = time.monotonic()
    monitor.start()
    assert 0.9 < time.monotonic() - started_s < 20
    assert not monitor.serving
    release.set()


def test_it_stays_not_serving_once_stopped(monitor_of):
    monitor = monitor_of()
    monitor.start()
    monitor.stop()
    assert not monitor.serving
