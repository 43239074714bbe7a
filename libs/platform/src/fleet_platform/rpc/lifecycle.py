"""Starts and stops a service in the right order."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from types import FrameType

from fleet_platform.memory import start_memory_return
from fleet_platform.rpc.health import HealthMonitor
from fleet_platform.rpc.method_table import DESCRIPTOR
from fleet_platform.rpc.server import PortTaken, Server, host_port
from fleet_platform.rpc.service import Service
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import configure_telemetry, logger, serve_metrics

_log = logger("fleet.lifecycle")


class RunningService:
    """A service that is listening."""

    def __init__(self, server: Server, health: HealthMonitor, host: str, port: int) -> None:
        self._server = server
        self.health = health
        """The state behind ``grpc.health.v1.Health``."""
        self.port = port
        """TCP port that it listens on."""
        self.address = host_port(host, port)
        """``host:port`` that it listens on."""

    @property
    def busy(self) -> int:
        """Number of running or waiting calls; after a stop, those that outlast the grace period."""
        return self._server.busy


@contextmanager
def start_service(service: Service, settings: ServiceSettings) -> Iterator[RunningService]:
    """Run a service inside a ``with`` block.

    Start: telemetry, NOT_SERVING, bind, probe, SERVING. If a dependency does not answer, the
    service runs and stays NOT_SERVING until it does. Stop: NOT_SERVING, time for the gateway to
    choose other replicas, the service's drain callbacks, rejection of new calls, a grace period for
    the running ones, the service's stop callbacks in their order, the last spans. A start that
    fails half-way is undone.

    Raises:
        PortTaken: the service cannot listen on one of its addresses.
    """
    with ExitStack() as undo:
        undo.callback(configure_telemetry(service.name, settings).close)
        _log.info("settings", service=service.name, **settings.printable())
        for callback in reversed(service.on_stop):
            undo.callback(_call, callback)
        if settings.metrics_port is not None:
            undo.callback(_serve_metrics(service, settings.service_host, settings.metrics_port))

        def ready() -> None:
            _log.info("ready", service=service.name, port=port)

        names = ("", service.name, DESCRIPTOR.full_name)
        health = HealthMonitor(
            service.probes, names, settings.health_interval_s, ready, service.registry
        )
        server = Server(service, settings, health.servicer)
        port = server.start(settings.service_host, settings.service_port)
        undo.callback(server.stop, settings.stop_grace_s)
        for callback in reversed(service.on_drain):
            undo.callback(_call, callback)
        undo.callback(_drain, health, settings.drain_s)
        health.start()
        memory = start_memory_return(settings.memory_return_s)
        if memory is not None:
            undo.callback(memory.stop)
        yield RunningService(server, health, settings.service_host, port)


def run_service(service: Service, settings: ServiceSettings) -> int:
    """Run a service until SIGTERM or SIGINT, in the main thread of a process.

    Returns:
        The exit code of the process: 0, or 1 if the service could not start.
    """
    # Unlike an event, a queue can be filled by a signal handler that interrupts the wait for it.
    stop: SimpleQueue[int] = SimpleQueue()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stop.put(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        with start_service(service, settings) as running:
            stop.get()
            _log.info("stopping", service=service.name)
    except PortTaken as error:
        _log.error("start.failed", service=service.name, error=str(error))
        return 1
    _log.info("stopped", service=service.name)
    if running.busy:
        # Their threads could delay the end of the process indefinitely.
        _log.warning("calls.abandoned", service=service.name, calls=running.busy)
        os._exit(0)
    return 0


def _serve_metrics(service: Service, host: str, port: int) -> Callable[[], None]:
    try:
        served = serve_metrics(service.registry, host, port)
    except OSError:
        raise PortTaken(
            f"Cannot serve metrics on {host}:{port}: the port is in use. "
            "Stop the other process or set METRICS_PORT (0: any free port)."
        ) from None
    _log.info("metrics", service=service.name, port=served.port)
    return served.stop


def _drain(health: HealthMonitor, drain_s: float) -> None:
    health.stop()
    time.sleep(drain_s)


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("callback.failed")
