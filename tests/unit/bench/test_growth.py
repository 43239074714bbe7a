"""The measure of the soak: what is flat passes, and a leak cannot."""

import random
import subprocess
import sys

import pytest

from bench.growth import MIB, Bounds, Sample, growth_of
from bench.process_watch import ProcessWatch
from tests.support.polling import wait_until

LEAK = "import time\nkept = []\nwhile True: kept.append(b'x' * 1_000_000); time.sleep(0.02)"


def samples(mib, fds=lambda minute: 20, threads=lambda minute: 30, minutes=14):
    """One sample in six seconds of a process whose use is a function of time."""
    return [
        Sample(at * 6.0, round(mib(at / 10) * MIB), round(fds(at / 10)), round(threads(at / 10)))
        for at in range(minutes * 10)
    ]


def noise(size):
    chance = random.Random(20)
    return lambda _minute: chance.uniform(-size, size)


def excess(taken):
    return growth_of("p", taken).excess(Bounds())


def test_noise_and_saw_teeth_are_flat():
    rough = noise(30)
    assert excess(samples(lambda minute: 300 + rough(minute))) == []
    assert excess(samples(lambda minute: 300 + 40 * (2 * minute % 1))) == []


def test_a_few_outliers_are_flat():
    assert excess(samples(lambda minute: 300 + (500 if minute > 13.5 else 0))) == []


def test_a_step_in_the_middle_is_growth():
    assert excess(samples(lambda minute: 300 + (60 if minute > 7 else 0))) == ["memory"]


@pytest.mark.parametrize(("mib_per_minute", "expected"), [(0.5, []), (1.5, ["memory"])])
def test_a_slow_leak_is_found_under_noise(mib_per_minute, expected):
    rough = noise(5)
    taken = samples(lambda minute: 300 + mib_per_minute * minute + rough(minute))
    assert excess(taken) == expected
    assert growth_of("p", taken).mib_per_minute == pytest.approx(mib_per_minute, abs=0.3)


def test_descriptors_and_threads_that_leak_are_found():
    assert excess(samples(lambda _: 300, fds=lambda minute: 20 + minute)) == ["file descriptors"]
    assert excess(samples(lambda _: 300, threads=lambda minute: 30 + minute)) == ["threads"]


def test_a_process_that_leaks_is_found():
    with subprocess.Popen([sys.executable, "-c", LEAK]) as leaking:
        try:
            with ProcessWatch(lambda: {"leaking": leaking.pid}, every_s=0.05) as watch:
                wait_until(lambda: len(watch.samples["leaking"]) >= 20, "samples")
        finally:
            leaking.kill()
    assert excess(watch.samples["leaking"]) == ["memory"]


def test_children_are_watched_beside_their_parent():
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        try:
            with ProcessWatch(lambda: {"parent": process.pid}, every_s=0.05) as watch:
                wait_until(lambda: watch.samples.get("parent's children"), "a child")
        finally:
            process.communicate(b"\n")
    assert watch.samples["parent's children"][0].rss_bytes > 0
