import threading
from typing import ClassVar

import pytest

from fleet_platform.errors import Conflict, DependencyDown
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics
from fleet_platform.telemetry.reported_counts import report_of
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.worker.messages import ChildReply
from fleet_trainer.workers import pool as child_pool
from fleet_trainer.workers.pool import ChildPool


class _Child:
    """Stands in for a process: says and does what a test lets it."""

    born: ClassVar[list["_Child"]] = []

    def __init__(self, _settings_json, *, on_reply, on_metrics, on_exit):
        self.pid = 1000 + len(_Child.born)
        self.assignment = None
        self.is_reserved = False
        self.is_warm = False
        self.is_spent = False
        self.exit_code = None
        self._on_reply = on_reply
        self._on_metrics = on_metrics
        self._on_exit = on_exit
        _Child.born.append(self)

    @property
    def is_idle(self):
        return self.assignment is None and not self.is_reserved and not self.is_spent

    def watch(self):
        pass

    def assign(self, assignment):
        self.assignment = assignment

    def retire(self):
        self.is_spent = True

    def kill(self):
        self.is_spent = True

    def join(self):
        pass

    def says(self, reply):
        self._on_reply(self, reply)

    def counts(self, epochs):
        own = MetricRegistry()
        own.counter(metrics.EPOCHS).inc(epochs)
        self._on_metrics(self, report_of(own))

    def dies(self, exit_code):
        self.exit_code = exit_code
        self._on_exit(self)


@pytest.fixture
def born(monkeypatch):
    monkeypatch.setattr(_Child, "born", [])
    monkeypatch.setattr(child_pool, "ChildProcess", _Child)
    monkeypatch.setattr(child_pool, "_FIRST_BACKOFF_S", 0.001)
    return _Child.born


class _Losses:
    def __init__(self):
        self.deaths = {}
        self.returned = []

    def died(self, assignment, error):
        self.deaths[assignment.run_id] = error

    def given_back(self, assignment):
        self.returned.append(assignment.run_id)


@pytest.fixture
def losses():
    return _Losses()


@pytest.fixture
def freed():
    return []


@pytest.fixture
def registry():
    return MetricRegistry()


@pytest.fixture
def make_pool(born, losses, freed, registry):
    def make(*, slots=1, warm_children=1):
        pool = ChildPool(
            "{}",
            slots=slots,
            warm_children=warm_children,
            losses=losses,
            on_free=lambda: freed.append(1),
            registry=registry,
        )
        pool.start()
        return pool

    return make


def _give(pool, run_id):
    return pool.work_on(lambda _pid: Assignment(run_id, 1))


def _warm(born):
    for child in born:
        if not child.is_warm:
            child.says(ChildReply.READY)


def test_a_warm_child_takes_the_run_and_is_used_again(make_pool, born):
    pool = make_pool()
    _warm(born)

    assert _give(pool, "a")
    assert pool.pids() == {1000: "a"}
    born[0].says(ChildReply.DONE)
    assert _give(pool, "b")

    assert pool.pids() == {1000: "b"}


def test_the_child_that_takes_a_run_is_named_before(make_pool, born):
    pool = make_pool()
    _warm(born)
    asked = []

    pool.work_on(lambda pid: asked.append(pid) or Assignment("a", 7))

    assert asked == [1000]
    assert pool.held() == (Assignment("a", 7),)


def test_nothing_is_claimed_while_no_child_is_warm_or_free(make_pool, born):
    pool = make_pool()
    claimed = []

    def claim(_pid):
        claimed.append(1)
        return Assignment("a", 1)

    assert not pool.work_on(claim)
    assert claimed == []
    assert pool.free_slots() == 1
    _warm(born)
    assert pool.work_on(claim)
    assert not pool.work_on(claim)
    assert (len(claimed), pool.free_slots()) == (1, 0)


def test_a_claim_that_fails_leaves_the_child_free(make_pool, born):
    pool = make_pool()
    _warm(born)

    def claim(_pid):
        raise Conflict("another was faster")

    with pytest.raises(Conflict):
        pool.work_on(claim)

    assert pool.free_slots() == 1
    assert _give(pool, "b")


def test_a_child_that_dies_while_a_run_is_claimed_for_it_costs_the_run_nothing(
    make_pool, born, losses
):
    pool = make_pool()
    _warm(born)

    def claim(_pid):
        born[0].dies(-9)
        return Assignment("a", 1)

    assert pool.work_on(claim)

    assert losses.returned == ["a"]
    assert losses.deaths == {}


def test_as_many_run_at_a_time_as_there_are_slots(make_pool, born):
    pool = make_pool(slots=2, warm_children=1)
    _warm(born)
    assert len(born) == 1

    assert _give(pool, "a")
    _warm(born)
    assert _give(pool, "b")
    assert not _give(pool, "c")

    assert pool.pids() == {1000: "a", 1001: "b"}
    born[0].says(ChildReply.DONE)
    born[1].says(ChildReply.DONE)
    # One stays warm, the other is not needed any more.
    assert sorted(child.is_spent for child in born) == [False, True]


def test_children_are_made_ready_for_runs_that_wait_as_far_as_slots_are_free(make_pool, born):
    pool = make_pool(slots=3, warm_children=0)
    assert born == []

    pool.expect(2)
    assert len(born) == 2
    pool.expect(9)
    assert len(born) == 3
    _warm(born)
    assert _give(pool, "a")
    pool.expect(0)

    assert [child.is_spent for child in born if child.assignment is None] == [True, True]


def test_whoever_waits_is_told_when_a_child_may_be_free(make_pool, born, freed):
    pool = make_pool()
    _warm(born)
    assert len(freed) == 1
    _give(pool, "a")
    born[0].says(ChildReply.DONE)
    assert len(freed) == 2
    born[0].dies(-9)
    assert len(freed) == 3


def test_a_spent_child_is_replaced(make_pool, born):
    pool = make_pool()
    _warm(born)
    _give(pool, "a")

    born[0].says(ChildReply.SPENT)
    born[0].dies(0)

    assert pool.pids() == {1001: None}
    assert len(born) == 2


def test_the_run_of_a_child_that_died_is_told_with_what_killed_it(make_pool, born, losses):
    pool = make_pool()
    _warm(born)
    _give(pool, "a")

    born[0].dies(-9)

    assert losses.deaths.keys() == {"a"}
    assert "killed by signal 9, perhaps because memory ran out" in losses.deaths["a"].text
    assert pool.pids() == {1001: None}


def test_a_child_that_ended_by_itself_in_mid_run_is_told_with_its_code(make_pool, born, losses):
    pool = make_pool()
    _warm(born)
    _give(pool, "a")

    born[0].dies(3)

    assert "ended with exit code 3" in losses.deaths["a"].text


def test_only_the_child_that_works_on_just_this_is_killed(make_pool, born):
    pool = make_pool(slots=2, warm_children=2)
    _warm(born)
    _give(pool, "a")
    _give(pool, "b")

    pool.kill(Assignment("a", 2))
    assert not any(child.is_spent for child in born)
    pool.kill(Assignment("b", 1))

    assert [child.assignment.run_id for child in born if child.is_spent] == ["b"]


def test_the_pool_answers_once_a_child_stood_ready(make_pool, born):
    pool = make_pool()
    with pytest.raises(DependencyDown):
        pool.ping()

    born[0].says(ChildReply.READY)
    pool.ping()
    born[0].dies(-9)

    pool.ping()


def test_a_pool_that_keeps_nothing_warm_answers_at_once(make_pool, born):
    make_pool(warm_children=0).ping()

    assert born == []


def test_closing_gives_back_what_runs(make_pool, born, losses):
    pool = make_pool(slots=2, warm_children=2)
    _warm(born)
    _give(pool, "a")

    pool.close()
    born[0].dies(-9)

    assert losses.returned == ["a"]
    assert losses.deaths == {}
    assert len(born) == 2
    assert not _give(pool, "c")


def test_children_that_die_at_once_are_started_ever_more_slowly(make_pool, born, monkeypatch):
    pauses_s = []
    pool = make_pool()
    monkeypatch.setattr(pool._closing, "wait", pauses_s.append)

    for child in range(4):
        born[child].dies(1)

    assert pauses_s == sorted(pauses_s)
    assert len(set(pauses_s)) == 4


def test_calls_from_many_threads_never_take_more_than_there_are_slots(make_pool, born):
    pool = make_pool(slots=4, warm_children=4)
    _warm(born)
    taken = []

    def give(number):
        if _give(pool, str(number)):
            taken.append(str(number))

    threads = [threading.Thread(target=give, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(held.run_id for held in pool.held()) == sorted(taken)
    assert len(taken) == len(born) == 4


def test_what_children_count_is_told_and_outlives_them(make_pool, born, registry):
    pool = make_pool()
    _warm(born)
    _give(pool, "run")
    born[0].counts(epochs=2)
    born[0].counts(epochs=3)
    born[0].dies(-9)
    born[1].counts(epochs=4)

    assert registry.get_sample_value("fleet_epochs_total") == 7
    assert registry.get_sample_value("fleet_train_child_deaths_total") == 1


def test_a_child_that_was_to_end_counts_as_no_death(make_pool, born, registry):
    pool = make_pool()
    _warm(born)
    _give(pool, "run")
    born[0].says(ChildReply.SPENT)
    born[0].dies(0)

    assert registry.get_sample_value("fleet_train_child_deaths_total") == 0


def test_the_states_of_children_are_told(make_pool, born):
    pool = make_pool(slots=2, warm_children=2)
    assert pool.states() == {"busy": 0, "idle": 0, "starting": 2}
    _warm(born)
    _give(pool, "run")
    assert pool.states() == {"busy": 1, "idle": 1, "starting": 0}
