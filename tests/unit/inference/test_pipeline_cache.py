"""Pipelines are built once, limited in bytes, and errors are not cached."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, Event
from typing import cast

from fleet_engine import Pipeline
from fleet_inference.pipeline_cache import PipelineCache, PipelineKey
from fleet_platform.errors import Exhausted, InvalidInput

DEADLINE_S = 10.0


@dataclass
class Sized:
    """Stands for a pipeline: the cache looks at nothing but its size."""

    size_bytes: int


def sized(size_bytes: int) -> Pipeline:
    return cast("Pipeline", Sized(size_bytes))


def key(name: str) -> PipelineKey:
    return PipelineKey(name, "", "cpu")


def never() -> Pipeline:
    raise AssertionError("it was there already")


def fill(cache: PipelineCache, name: str, size_bytes: int = 10) -> Pipeline:
    return cache.get(key(name), lambda: sized(size_bytes), DEADLINE_S)


def holds(cache: PipelineCache, name: str) -> bool:
    """Whether it is at hand; leaves the cache as it was if not."""

    def absent() -> Pipeline:
        raise InvalidInput("absent")

    try:
        cache.get(key(name), absent, DEADLINE_S)
    except InvalidInput:
        return False
    return True


def test_each_part_of_the_key_counts() -> None:
    cache = PipelineCache(1000)
    keys = [
        PipelineKey(config, weights, device)
        for config in "ab"
        for weights in ("", "w")
        for device in ("cpu", "cuda:0")
    ]
    made = [cache.get(each, lambda: sized(1), DEADLINE_S) for each in keys]
    assert len({id(pipeline) for pipeline in made}) == len(keys) == len(cache)
    assert [cache.get(each, never, DEADLINE_S) for each in keys] == made


def test_the_least_recently_used_goes_first() -> None:
    cache = PipelineCache(30)
    for name in "abc":
        fill(cache, name)
    cache.get(key("a"), never, DEADLINE_S)
    fill(cache, "d", 15)
    assert [name for name in "abcd" if holds(cache, name)] == ["a", "d"]
    assert cache.size_bytes == 25


def test_one_that_exceeds_the_bound_stays_only_while_it_is_the_newest() -> None:
    cache = PipelineCache(30)
    fill(cache, "a")
    fill(cache, "giant", 100)
    assert (len(cache), cache.size_bytes) == (1, 100)
    fill(cache, "b")
    assert (len(cache), cache.size_bytes) == (1, 10)


def test_many_calls_build_once() -> None:
    callers = 8
    cache = PipelineCache(1000)
    started, release, at_once = Event(), Event(), Barrier(callers)
    builds = []

    def build() -> Pipeline:
        builds.append(1)
        started.set()
        assert release.wait(DEADLINE_S)
        return sized(1)

    def ask() -> Pipeline:
        at_once.wait(DEADLINE_S)
        return cache.get(key("a"), build, DEADLINE_S)

    with ThreadPoolExecutor(callers) as pool:
        futures = [pool.submit(ask) for _ in range(callers)]
        assert started.wait(DEADLINE_S)
        release.set()
        got = [future.result(DEADLINE_S) for future in futures]
    assert len(builds) == 1
    assert len({id(pipeline) for pipeline in got}) == 1


def waiting(cache: PipelineCache, build: Callable[[], Pipeline], wait_s: float) -> type | None:
    try:
        cache.get(key("a"), build, wait_s)
    except Exception as error:
        return type(error)
    return None


def test_a_failure_reaches_all_who_waited_and_is_forgotten() -> None:
    cache = PipelineCache(1000)
    started, release = Event(), Event()

    def fail() -> Pipeline:
        started.set()
        assert release.wait(DEADLINE_S)
        raise InvalidInput("bad graph")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(waiting, cache, fail, DEADLINE_S)
        assert started.wait(DEADLINE_S)
        second = pool.submit(waiting, cache, fail, DEADLINE_S)
        release.set()
        assert first.result(DEADLINE_S) is second.result(DEADLINE_S) is InvalidInput
    assert fill(cache, "a").size_bytes == 10


def test_no_call_waits_longer_than_its_limit() -> None:
    cache = PipelineCache(1000)
    started, release = Event(), Event()

    def slow() -> Pipeline:
        started.set()
        assert release.wait(DEADLINE_S)
        return sized(1)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(waiting, cache, slow, DEADLINE_S)
        assert started.wait(DEADLINE_S)
        assert waiting(cache, never, 0.01) is Exhausted
        release.set()
        assert first.result(DEADLINE_S) is None


def test_clear_forgets_all() -> None:
    cache = PipelineCache(1000)
    fill(cache, "a")
    cache.clear()
    assert (len(cache), cache.size_bytes, holds(cache, "a")) == (0, 0, False)
