import threading

import pytest

from fleet_platform.rpc.workers import WorkerPool, pool_of, run_on


@pytest.fixture
def pool():
    made = WorkerPool("test", workers=1, pending=1)
    yield made
    made.shutdown()


def test_a_pool_is_full_with_its_workers_and_its_queue(pool):
    release, started = threading.Event(), threading.Event()

    def block():
        started.set()
        assert release.wait(120)

    first = pool.submit(block)
    assert started.wait(120)
    assert (pool.held, pool.waiting, pool.full) == (1, 0, False)
    second = pool.submit(lambda: None)
    assert (pool.held, pool.waiting, pool.full) == (2, 1, True)
    release.set()
    first.result(120)
    second.result(120)
    pool.shutdown()
    assert (pool.held, pool.waiting, pool.full) == (0, 0, False)


def test_failed_and_rejected_work_is_not_counted(pool):
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(120)
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(lambda: None)
    assert pool.held == 0


def test_a_handler_remembers_its_pool(pool):
    def handler():
        return None

    assert pool_of(handler) is None
    assert pool_of(run_on(pool, handler)) is pool
