"""How a child process tells its trainer what it counts."""

import threading

from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.reported_counts import report_of
from fleet_trainer.worker.spoken_lines import SpokenLines

METRICS_WORD = "metrics"
"""First word of such a line; the report follows it."""

_EVERY_S = 1.0


class ChildMetrics:
    """Tells all counts once a second while they change, and whenever it is asked to."""

    def __init__(self, registry: MetricRegistry, lines: SpokenLines) -> None:
        self._registry = registry
        self._lines = lines
        self._told = ""
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to tell, on a thread that ends with the process."""
        threading.Thread(target=self._tell_on, name="metrics", daemon=True).start()

    def tell(self) -> None:
        """Tell all counts now, unless nothing has changed."""
        with self._lock:
            report = report_of(self._registry)
            if report != self._told:
                self._lines.say(f"{METRICS_WORD} {report}")
                self._told = report

    def _tell_on(self) -> None:
        pause = threading.Event()
        while not pause.wait(_EVERY_S):
            self.tell()
