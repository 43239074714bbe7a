"""Health that is SERVING only while every dependency answers."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from grpc_health.v1 import health_pb2

from fleet_platform.errors import AppError
from fleet_platform.rpc.health_servicer import DrainingHealthServicer
from fleet_platform.telemetry import MetricRegistry, logger
from fleet_platform.telemetry.catalogue import metrics

PROBE_TIMEOUT_S = 1.0
"""A dependency that takes longer than this to answer is considered down."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_log = logger("fleet.health")


class Prober:
    """Checks one dependency on its own thread, so that a hanging check does not delay others.

    The thread is a daemon, so that a check that never returns does not keep the process alive.
    """

    def __init__(self, name: str, probe: Callable[[], object]) -> None:
        self.name = name
        self._probe = probe
        self._wake = threading.Event()
        self._answered = threading.Event()
        self._answered.set()
        self._stopped = False
        self._failure: str | None = None

    def start(self) -> None:
        """Start the thread, which waits for the first check."""
        threading.Thread(target=self._run, name=f"probe-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Stop the thread after its current check."""
        self._stopped = True
        self._wake.set()

    def check(self) -> None:
        """Start a check, unless the previous one is still running."""
        if self._answered.is_set():
            self._answered.clear()
            self._wake.set()

    def failure(self, deadline_s: float) -> str | None:
        """Wait for the check until `deadline_s` (monotonic); return why it failed, or None."""
        if not self._answered.wait(max(0.0, deadline_s - time.monotonic())):
            return f"no answer within {PROBE_TIMEOUT_S:g} s"
        return self._failure

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopped:
                return
            self._failure = self._outcome()
            self._answered.set()

    def _outcome(self) -> str | None:
        try:
            self._probe()
        except AppError as error:
            # The cause is not sent to callers, but belongs in the log.
            return error.text if error.__cause__ is None else f"{error.text} ({error.__cause__})"
        except Exception as error:  # any exception means that the dependency is down
            return f"{type(error).__name__}: {error}"
        return None


class HealthMonitor:
    """Checks all dependencies periodically and updates the health servicer."""

    def __init__(
        self,
        probes: Mapping[str, Callable[[], object]],
        names: Iterable[str],
        interval_s: float,
        on_serving: Callable[[], None],
        registry: MetricRegistry | None = None,
    ) -> None:
        """Create a monitor that reports NOT_SERVING until the first round of checks.

        Args:
            probes: One check per dependency.
            names: Service names that ``Check`` accepts.
            interval_s: Seconds between two rounds.
            on_serving: Called whenever the status changes to SERVING.
            registry: Receives the results as metrics.
        """
        self.servicer = DrainingHealthServicer()
        self._names = tuple(names)
        self._probers = [Prober(name, probe) for name, probe in probes.items()]
        self._interval_s = interval_s
        self._on_serving = on_serving
        self._down: dict[str, str] | None = None
        self._first_round = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health", daemon=True)
        self._publish(_NOT_SERVING)
        if registry is not None:
            registry.watch(metrics.SERVING, lambda: [({}, self.serving)])
            registry.watch(metrics.DEPENDENCY_UP, self._dependencies)

    @property
    def serving(self) -> bool:
        """Whether every dependency answered in the last round."""
        return self._down == {} and not self._stopping.is_set()

    def start(self) -> None:
        """Check once, wait for the result, and continue in the background."""
        for prober in self._probers:
            prober.start()
        self._thread.start()
        self._first_round.wait()

    def stop(self) -> None:
        """Report NOT_SERVING from now on."""
        self._stopping.set()
        self.servicer.end()
        if self._thread.is_alive():
            self._thread.join()
        for prober in self._probers:
            prober.stop()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._round()
            self._first_round.set()
            self._stopping.wait(self._interval_s)

    def _round(self) -> None:
        deadline_s = time.monotonic() + PROBE_TIMEOUT_S
        for prober in self._probers:
            prober.check()
        failures = {prober.name: prober.failure(deadline_s) for prober in self._probers}
        if self._stopping.is_set():
            return
        down = {name: text for name, text in failures.items() if text is not None}
        before = self._down
        self._down = down
        if before is None or bool(before) != bool(down):
            self._publish(_NOT_SERVING if down else _SERVING)
        self._report(before, down)

    def _report(self, before: dict[str, str] | None, down: dict[str, str]) -> None:
        known = before or {}
        for name in down.keys() - known.keys():
            _log.warning("dependency.down", dependency=name, error=down[name])
        for name in known.keys() - down.keys():
            _log.info("dependency.up", dependency=name)
        if not down and before != {}:
            self._on_serving()

    def _dependencies(self) -> Iterator[tuple[dict[str, str], float]]:
        down = self._down
        for prober in self._probers:
            yield {"dependency": prober.name}, down is not None and prober.name not in down

    def _publish(self, status: int) -> None:
        for name in self._names:
            self.servicer.set(name, status)
