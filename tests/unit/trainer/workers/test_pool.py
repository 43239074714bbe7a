import threading
from functools import partial

import pytest

from fleet_platform.backoff import Backoff
from fleet_platform.errors import DependencyDown
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_platform.telemetry.reported_counts import report_of
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.worker.messages import Finished, MetricsReport, Ready
from fleet_trainer.workers.pool import WorkerPool


class _Process:
    """A process that does what a test asks for."""

    def __init__(self, processes):
        self.pid = 1000 + len(processes)
        self.exit_code = None
        self.run_id = None
        self.is_retired = False
        self.is_killed = False
        processes.append(self)

    def watch(self, on_message, on_exit):
        self.send, self._on_exit = on_message, on_exit

    def assign(self, assignment):
        self.run_id = assignment.run_id

    def retire(self):
        self.is_retired = True

    def kill(self):
        self.is_killed = True

    def join(self):
        pass

    def count(self, epochs):
        own = MetricRegistry()
        own.counter(metrics.EPOCHS).inc(epochs)
        self.send(MetricsReport(report_of(own)))

    def die(self, exit_code):
        self.exit_code = exit_code
        self._on_exit()


@pytest.fixture
def processes():
    """All processes that the pool has started."""
    return []


class _Listener:
    def __init__(self):
        self.deaths = {}
        self.released = []

    def worker_died(self, assignment, error):
        self.deaths[assignment.run_id] = error

    def run_released(self, assignment):
        self.released.append(assignment.run_id)


@pytest.fixture
def listener():
    return _Listener()


@pytest.fixture
def freed():
    return []


@pytest.fixture
def registry():
    return MetricRegistry()


@pytest.fixture
def make_pool(processes, listener, freed, registry):
    def make(*, slots=1, warm_workers=1, backoff=None):
        pool = WorkerPool(
            partial(_Process, processes),
            slots=slots,
            warm_workers=warm_workers,
            listener=listener,
            on_free=lambda: freed.append(1),
            registry=registry,
            backoff=backoff or Backoff(0.001, 0.001),
        )
        pool.start()
        return pool

    return make


def _start(pool, run_id):
    slot = pool.reserve()
    if slot is not None:
        slot.start(Assignment(run_id, 1))
    return slot is not None


def _warm(processes):
    for process in processes:
        process.send(Ready())


def test_a_warm_worker_executes_a_run_and_is_used_again(make_pool, processes):
    pool = make_pool()
    _warm(processes)

    assert _start(pool, "a")
    assert pool.pids() == {1000: "a"}
    processes[0].send(Finished())
    assert _start(pool, "b")

    assert pool.pids() == {1000: "b"}


def test_a_reserved_slot_names_its_worker(make_pool, processes):
    pool = make_pool()
    _warm(processes)

    slot = pool.reserve()
    assert slot.worker == "1000"
    slot.start(Assignment("a", 7))

    assert pool.assignments() == (Assignment("a", 7),)
    assert processes[0].run_id == "a"


def test_nothing_is_reserved_while_no_worker_is_warm_or_free(make_pool, processes):
    pool = make_pool()

    assert pool.reserve() is None
    assert pool.free_slots() == 1
    _warm(processes)
    assert pool.reserve() is not None
    assert pool.reserve() is None
    assert pool.free_slots() == 0


def test_a_released_slot_is_free_again(make_pool, processes):
    pool = make_pool()
    _warm(processes)

    pool.reserve().release()

    assert pool.free_slots() == 1
    assert _start(pool, "b")


def test_a_run_claimed_for_a_worker_that_dies_at_that_time_is_released(
    make_pool, processes, listener
):
    pool = make_pool()
    _warm(processes)

    slot = pool.reserve()
    processes[0].die(-9)
    slot.start(Assignment("a", 1))

    assert listener.released == ["a"]
    assert listener.deaths == {}


def test_each_slot_executes_one_run_at_a_time(make_pool, processes):
    pool = make_pool(slots=2, warm_workers=1)
    _warm(processes)
    assert len(processes) == 1

    assert _start(pool, "a")
    processes[1].send(Ready())
    assert _start(pool, "b")
    assert not _start(pool, "c")

    assert pool.pids() == {1000: "a", 1001: "b"}
    processes[0].send(Finished())
    processes[1].send(Finished())
    # One stays warm, the other is no longer needed.
    assert sorted(process.is_retired for process in processes) == [False, True]


def test_workers_are_started_for_waiting_runs_as_far_as_slots_are_free(make_pool, processes):
    pool = make_pool(slots=3, warm_workers=0)
    assert processes == []

    pool.expect(2)
    assert len(processes) == 2
    pool.expect(9)
    assert len(processes) == 3
    _warm(processes)
    assert _start(pool, "a")
    pool.expect(0)

    assert [process.is_retired for process in processes if not process.run_id] == [True, True]


def test_the_pool_notifies_when_a_worker_may_be_free(make_pool, processes, freed):
    pool = make_pool()
    _warm(processes)
    assert len(freed) == 1
    _start(pool, "a")
    processes[0].send(Finished())
    assert len(freed) == 2
    processes[0].die(-9)
    assert len(freed) == 3


def test_a_spent_worker_is_replaced(make_pool, processes):
    pool = make_pool()
    _warm(processes)
    _start(pool, "a")

    processes[0].send(Finished(is_spent=True))
    processes[0].die(0)

    assert pool.pids() == {1001: None}
    assert len(processes) == 2


def test_the_run_of_a_killed_worker_is_reported_with_the_signal(make_pool, processes, listener):
    pool = make_pool()
    _warm(processes)
    _start(pool, "a")

    processes[0].die(-9)

    assert listener.deaths.keys() == {"a"}
    assert "killed by signal 9, perhaps because memory ran out" in listener.deaths["a"].text
    assert pool.pids() == {1001: None}


def test_the_run_of_a_worker_that_exits_is_reported_with_its_code(make_pool, processes, listener):
    pool = make_pool()
    _warm(processes)
    _start(pool, "a")

    processes[0].die(3)

    assert "ended with exit code 3" in listener.deaths["a"].text


def test_only_the_worker_of_exactly_this_assignment_is_killed(make_pool, processes):
    pool = make_pool(slots=2, warm_workers=2)
    _warm(processes)
    _start(pool, "a")
    _start(pool, "b")

    pool.kill(Assignment("a", 2))
    assert not any(process.is_killed for process in processes)
    pool.kill(Assignment("b", 1))

    assert [process.run_id for process in processes if process.is_killed] == ["b"]


def test_ping_succeeds_once_a_worker_has_been_ready(make_pool, processes):
    pool = make_pool()
    with pytest.raises(DependencyDown):
        pool.ping()

    processes[0].send(Ready())
    pool.ping()
    processes[0].die(-9)

    pool.ping()


def test_ping_succeeds_at_once_without_warm_workers(make_pool, processes):
    make_pool(warm_workers=0).ping()

    assert processes == []


def test_closing_releases_the_runs(make_pool, processes, listener):
    pool = make_pool(slots=2, warm_workers=2)
    _warm(processes)
    _start(pool, "a")

    pool.close()
    processes[0].die(-9)

    assert listener.released == ["a"]
    assert listener.deaths == {}
    assert len(processes) == 2
    assert not _start(pool, "c")


def test_workers_that_die_while_starting_are_replaced_after_growing_pauses(make_pool, processes):
    backoff = Backoff(0.001, 1.0)
    make_pool(backoff=backoff)

    for number in range(4):
        processes[number].die(1)
    assert backoff.attempts == 4

    processes[4].send(Ready())
    assert backoff.attempts == 0
    processes[4].die(-9)
    assert backoff.attempts == 0


def test_concurrent_calls_never_exceed_the_slots(make_pool, processes):
    pool = make_pool(slots=4, warm_workers=4)
    _warm(processes)
    started = []

    def start(number):
        if _start(pool, str(number)):
            started.append(str(number))

    threads = [threading.Thread(target=start, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.run_id for each in pool.assignments()) == sorted(started)
    assert len(started) == len(processes) == 4


def test_counts_of_workers_are_reported_and_outlive_them(make_pool, processes, registry):
    pool = make_pool()
    _warm(processes)
    _start(pool, "run")
    processes[0].count(epochs=2)
    processes[0].count(epochs=3)
    processes[0].die(-9)
    processes[1].count(epochs=4)

    assert registry.get_sample_value("fleet_epochs_total") == 7
    assert registry.get_sample_value("fleet_train_child_deaths_total") == 1


def test_the_exit_of_a_retired_worker_does_not_count_as_a_death(make_pool, processes, registry):
    pool = make_pool()
    _warm(processes)
    _start(pool, "run")
    processes[0].send(Finished(is_spent=True))
    processes[0].die(0)

    assert registry.get_sample_value("fleet_train_child_deaths_total") == 0


def test_the_states_of_workers_are_reported(make_pool, processes):
    pool = make_pool(slots=2, warm_workers=2)
    assert pool.states() == {"busy": 0, "idle": 0, "starting": 2}
    _warm(processes)
    _start(pool, "run")
    assert pool.states() == {"busy": 1, "idle": 1, "starting": 0}
