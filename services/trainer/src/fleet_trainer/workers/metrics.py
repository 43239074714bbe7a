"""What a trainer tells of its runs and of the processes that work on them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from fleet_platform.memory import resident_bytes
from fleet_platform.runs import RunStore
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_trainer.workers.pool import ChildPool

_NO_RUNS = {"queued": 0, "running": 0}


def watch_trainer(registry: MetricRegistry, *, pool: ChildPool, runs: RunStore, slots: int) -> None:
    """Have them told in `registry`, read whenever metrics are asked for."""

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
        with suppress(OSError):  # it has ended in this moment
            total += resident_bytes(pid)
    return total
