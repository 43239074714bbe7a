"""Soak test for resource leaks: ``python -m bench.soak --minutes 20``.

Starts its own stack, runs a mixed workload, and samples memory, file descriptors and threads of
every process. Fails if one of them grows after the warm-up, or if a call fails. Redis grows by some
13 kB with each training, which it keeps for a day; therefore clients pause.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.growth import Bounds, Growth, growth_of
from bench.mixed_work import MixedWork
from bench.process_watch import ProcessWatch
from bench.scene import write_training_data
from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub

_DATA = "soak.npz"
_MEASUREMENTS = 4
_INFERENCE = 2
_SAMPLES = 600
_FEWEST_SHARE = 0.5
"""Processes that occur in a smaller share of the samples are short-lived and not checked."""


def _arguments() -> argparse.Namespace:
    bounds = Bounds()
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument(
        "--warm-up", type=float, default=0.3, help="share of the time that is not evaluated"
    )
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two jobs")
    parser.add_argument("--mib-per-minute", type=float, default=bounds.mib_per_minute)
    return parser.parse_args()


def main() -> int:
    """Run the workload, sample and print; return the exit code."""
    arguments = _arguments()
    lasts_s = arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        work, watch = _work(Path(scratch), arguments, lasts_s)
    # Times count from the first sample, so that a part that started late is not cut short.
    since_s = min(samples[0].at_s for samples in watch.samples.values())
    since_s += arguments.warm_up * lasts_s
    fewest = _FEWEST_SHARE * (1 - arguments.warm_up) * len(watch.samples["gateway"])
    growths = [
        growth_of(name, counted)
        for name, samples in watch.samples.items()
        if len(counted := [each for each in samples if each.at_s >= since_s]) >= fewest
    ]
    bounds = Bounds(mib_per_minute=arguments.mib_per_minute)
    _print(growths, bounds, work)
    grew = any(growth.excess(bounds) for growth in growths)
    return 1 if grew or work.failures else 0


def _work(
    folder: Path, arguments: argparse.Namespace, lasts_s: float
) -> tuple[MixedWork, ProcessWatch]:
    ending = threading.Event()
    with _stack(folder) as stack, connect(stack.address) as channel:
        work = MixedWork(CuvisAIServiceStub(channel), _DATA, range(_MEASUREMENTS))
        threads = [
            threading.Thread(target=work.work, args=(seed, arguments.pause, ending), daemon=True)
            for seed in range(arguments.clients)
        ]
        with ProcessWatch(stack.pids, lasts_s / _SAMPLES) as watch:
            for thread in threads:
                thread.start()
            time.sleep(lasts_s)
        ending.set()
        for thread in threads:
            thread.join()
    return work, watch


@contextmanager
def _stack(folder: Path) -> Iterator[BackgroundStack]:
    write_training_data(folder / _DATA, side=64, measurements=_MEASUREMENTS)
    environment = {
        "DATA_DIR": str(folder),
        "OUTPUT_DIR": str(folder / "outputs"),
        "INFERENCE": str(_INFERENCE),
        "LOG_LEVEL": "WARNING",
    }
    with background_stack(free_ports(1)[0], folder / "run", environment) as stack:
        yield stack


def _print(growths: list[Growth], bounds: Bounds, work: MixedWork) -> None:
    table = Table(
        title=f"growth after the warm-up; memory may grow {bounds.mib_per_minute} MiB/min"
    )
    table.add_column("process", no_wrap=True)
    for heading in ("minutes", "MiB", "MiB / min", "descriptors", "threads"):
        table.add_column(heading, justify="right")
    table.add_column("flat")
    for growth in sorted(growths, key=lambda each: each.process):
        table.add_row(
            growth.process,
            f"{growth.minutes:.1f}",
            f"{growth.rss_mib:.0f}",
            f"{growth.mib_per_minute:+.2f}",
            f"{growth.fds:+.1f}",
            f"{growth.threads:+.1f}",
            ", ".join(growth.excess(bounds)) or "yes",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    print(f"jobs: {dict(work.jobs)}")
    for failure, count in work.failures.most_common():
        print(f"{count} x {failure}")


if __name__ == "__main__":
    sys.exit(main())
