"""Metrics of a trainer's runs and worker processes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from fleet_platform.memory import resident_bytes
from fleet_platform.runs import RunStore
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.workers.pool import WorkerPool

_NO_RUNS = {"queued": 0, "running": 0}


def register_metrics(
    registry: MetricRegistry, *, pool: WorkerPool, runs: RunStore, slots: int
) -> None:
    """Register the metrics, which are read whenever `registry` is scraped."""

    def active() -> Iterator[tuple[dict[str, str], float]]:
        states = Counter(_NO_RUNS)
        states.update("queued" if run.queued else "running" for run in runs.active())
        for state, count in states.items():
            yield {"state": state}, count

    registry.watch(metrics.RUNS, active)
    registry.watch(metrics.TRAIN_SLOTS, lambda: [({}, slots)])
    registry.watch(
        metrics.TRAIN_CHILDREN,
        lambda: [({"state": state}, count) for state, count in pool.states().items()],
    )
    registry.watch(metrics.TRAIN_CHILDREN_BYTES, lambda: [({}, _all_resident_bytes(pool.pids()))])


def _all_resident_bytes(pids: Iterable[int]) -> int:
    total = 0
    for pid in pids:
        with suppress(OSError):  # the process has just ended
            total += resident_bytes(pid)
    return total
