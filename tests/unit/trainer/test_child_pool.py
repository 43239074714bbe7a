import threading
from typing import ClassVar

import pytest

from fleet_platform.errors import DependencyDown, Exhausted
from fleet_trainer import child_pool
from fleet_trainer.child_pool import ChildPool
from fleet_trainer.child_reply import ChildReply


class _Child:
    """Stands in for a process: says and does what a test lets it."""

    born: ClassVar[list["_Child"]] = []

    def __init__(self, _settings_json, *, on_reply, on_exit):
        self.pid = 1000 + len(_Child.born)
        self.run_id = None
        self.is_warm = False
        self.is_spent = False
        self.exit_code = None
        self._on_reply = on_reply
        self._on_exit = on_exit
        _Child.born.append(self)

    @property
    def is_idle(self):
        return self.run_id is None and not self.is_spent

    def watch(self):
        pass

    def assign(self, run_id):
        self.run_id = run_id

    def retire(self):
        self.is_spent = True

    def kill(self):
        self.is_spent = True

    def join(self):
        pass

    def says(self, reply):
        self._on_reply(self, reply)

    def dies(self, exit_code):
        self.exit_code = exit_code
        self._on_exit(self)


@pytest.fixture
def born(monkeypatch):
    monkeypatch.setattr(_Child, "born", [])
    monkeypatch.setattr(child_pool, "ChildProcess", _Child)
    monkeypatch.setattr(child_pool, "_FIRST_BACKOFF_S", 0.001)
    return _Child.born


@pytest.fixture
def lost():
    return {}


@pytest.fixture
def make_pool(born, lost):
    def make(*, slots=1, warm_children=1, queue=2):
        pool = ChildPool(
            "{}",
            slots=slots,
            warm_children=warm_children,
            queue=queue,
            on_lost=lambda run_id, error: lost.update({run_id: error}),
        )
        pool.start()
        return pool

    return make


def test_a_warm_child_takes_the_run_and_is_used_again(make_pool, born):
    pool = make_pool()
    born[0].says(ChildReply.READY)

    pool.submit("a")
    assert pool.pids() == {1000: "a"}
    born[0].says(ChildReply.DONE)
    pool.submit("b")

    assert pool.pids() == {1000: "b"}


def test_runs_wait_in_their_order_and_one_too_many_is_refused(make_pool, born):
    pool = make_pool(slots=1, queue=2)
    for run_id in ("a", "b", "c"):
        pool.submit(run_id)

    with pytest.raises(Exhausted, match="All 1 training slots and 2 waiting places"):
        pool.submit("d")

    assert pool.held() == ("b", "c", "a")
    born[0].says(ChildReply.DONE)
    assert pool.pids() == {1000: "b"}
    born[0].says(ChildReply.DONE)
    assert pool.held() == ("c",)


def test_without_a_queue_a_free_slot_still_takes_a_run(make_pool):
    pool = make_pool(queue=0)

    pool.submit("a")

    with pytest.raises(Exhausted):
        pool.submit("b")


def test_as_many_run_at_a_time_as_there_are_slots(make_pool, born):
    pool = make_pool(slots=2, warm_children=1)
    assert len(born) == 1

    pool.submit("a")
    pool.submit("b")
    pool.submit("c")

    assert pool.pids() == {1000: "a", 1001: "b"}
    born[0].says(ChildReply.DONE)
    born[1].says(ChildReply.DONE)
    born[0].says(ChildReply.DONE)
    # One stays warm, the other is not needed any more.
    assert sorted(child.is_spent for child in born) == [False, True]


def test_a_spent_child_is_replaced(make_pool, born):
    pool = make_pool()
    pool.submit("a")

    born[0].says(ChildReply.SPENT)
    born[0].dies(0)

    assert pool.pids() == {1001: None}
    assert len(born) == 2


def test_the_run_of_a_child_that_died_is_told_lost_and_the_next_one_goes_on(make_pool, born, lost):
    pool = make_pool()
    born[0].says(ChildReply.READY)
    pool.submit("a")
    pool.submit("b")

    born[0].dies(-9)

    assert lost.keys() == {"a"}
    assert "killed by signal 9, perhaps because memory ran out" in lost["a"].text
    assert pool.pids() == {1001: "b"}


def test_a_child_that_ended_by_itself_in_mid_run_is_told_with_its_code(make_pool, born, lost):
    pool = make_pool()
    pool.submit("a")

    born[0].dies(3)

    assert "ended with exit code 3" in lost["a"].text


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


def test_closing_loses_what_runs_and_what_waits(make_pool, born, lost):
    pool = make_pool()
    pool.submit("a")
    pool.submit("b")

    pool.close()
    born[0].dies(-9)

    assert lost.keys() == {"a", "b"}
    assert "stopped" in lost["b"].text
    assert len(born) == 1
    with pytest.raises(DependencyDown):
        pool.submit("c")


def test_children_that_die_at_once_are_started_ever_more_slowly(make_pool, born, monkeypatch):
    pauses_s = []
    pool = make_pool()
    monkeypatch.setattr(pool._closing, "wait", pauses_s.append)

    for child in range(4):
        born[child].dies(1)

    assert pauses_s == sorted(pauses_s)
    assert len(set(pauses_s)) == 4


def test_calls_from_many_threads_lose_no_run(make_pool, born):
    pool = make_pool(slots=4, warm_children=4, queue=100)
    threads = [threading.Thread(target=pool.submit, args=[str(number)]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(pool.held(), key=int) == [str(number) for number in range(50)]
    assert len(born) == 4
