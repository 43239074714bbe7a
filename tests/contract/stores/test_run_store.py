"""The contract of every run store."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet_platform.errors import Conflict, NotFound
from fleet_platform.runs import ActiveRun, LeaseStatus, ProgressEntry, RedisRunStore, RunStore
from fleet_platform.testing import MemoryRunStore
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord, RunState
from tests.contract.stores.conftest import FakeClock

QUEUED = RunState.RUN_STATE_QUEUED
RUNNING = RunState.RUN_STATE_RUNNING
COMPLETE = RunState.RUN_STATE_COMPLETE
FINAL = [COMPLETE, RunState.RUN_STATE_FAILED, RunState.RUN_STATE_CANCELLED]


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, clock: FakeClock) -> RunStore:
    if request.param == "memory":
        return MemoryRunStore(clock)
    return RedisRunStore(request.getfixturevalue("connection"), clock)


@pytest.fixture
def queued(store: RunStore) -> RunRecord:
    return store.create(new_run())


@pytest.fixture
def claimed(store: RunStore, queued: RunRecord) -> RunRecord:
    return store.claim(queued.run_id, "trainer-1")


def new_run(session_id: str = "") -> RunRecord:
    session_id = session_id or str(uuid.uuid4())
    return RunRecord(run_id=str(uuid.uuid4()), session_id=session_id, trainer_type=1)


def finish(store: RunStore, run: RunRecord, state: RunState.ValueType = COMPLETE) -> None:
    run.state = state
    store.finish(run, b"last")


def payloads(store: RunStore, run_id: str, after: str = "") -> list[bytes]:
    return [entry.payload for entry in store.tail(run_id, after, wait_s=0.01)]


def test_a_new_run_is_queued_and_has_no_owner(store: RunStore, clock: FakeClock) -> None:
    run = new_run()
    run.traceparent = "00-a-b-01"
    run.data_config_json = b"\x00\xff"
    run.owner, run.fencing_token, run.state = "somebody", 7, COMPLETE
    run.attempts, run.checkpoint_digest = 2, "cd" * 32
    run.result.weights_digest = "ef" * 32

    created = store.create(run)

    expected = RunRecord(
        run_id=run.run_id,
        session_id=run.session_id,
        trainer_type=1,
        state=QUEUED,
        created_ms=int(clock.now_s * 1000),
        traceparent="00-a-b-01",
        data_config_json=b"\x00\xff",
    )
    read = store.read(run.run_id)
    for record in (created, read):
        record.ClearField("format_version")
        assert record == expected


def test_a_second_run_of_a_session_returns_the_first(store: RunStore, queued: RunRecord) -> None:
    second = store.create(new_run(queued.session_id))
    assert second.run_id == queued.run_id
    store.claim(queued.run_id, "trainer-1")
    third = store.create(new_run(queued.session_id))
    assert (third.run_id, third.state, third.owner) == (queued.run_id, RUNNING, "trainer-1")


@pytest.mark.parametrize("state", FINAL)
def test_an_ended_run_allows_another(
    store: RunStore, claimed: RunRecord, state: RunState.ValueType
) -> None:
    finish(store, claimed, state)
    second = new_run(claimed.session_id)
    assert store.create(second).run_id == second.run_id
    assert store.read(claimed.run_id).state == state


@pytest.mark.parametrize("state", FINAL)
def test_an_ended_run_is_not_created_again(
    store: RunStore, claimed: RunRecord, state: RunState.ValueType
) -> None:
    finish(store, claimed, state)
    newer = store.create(new_run(claimed.session_id))
    again = store.create(RunRecord(run_id=claimed.run_id, session_id=claimed.session_id))
    assert again == store.read(claimed.run_id)
    assert again.state == state
    assert payloads(store, claimed.run_id) == [b"last"]
    assert [run.run_id for run in store.active()].count(newer.run_id) == 1


def test_a_rejected_run_can_be_replaced_by_one_of_its_id(
    store: RunStore, queued: RunRecord
) -> None:
    refused = store.read(queued.run_id)
    refused.state = RunState.RUN_STATE_REJECTED
    assert store.cancel_queued(refused, b"refused")
    assert store.read(queued.run_id).state == RunState.RUN_STATE_REJECTED
    assert queued.run_id not in [run.run_id for run in store.active()]
    wanted = RunRecord(run_id=queued.run_id, session_id=queued.session_id, trainer_type=2)
    made = store.create(wanted)
    assert (made.state, made.trainer_type) == (QUEUED, 2)
    assert payloads(store, queued.run_id) == []
    assert queued.run_id in [run.run_id for run in store.active()]
    claimed = store.claim(queued.run_id, "trainer-1", made.fencing_token)
    store.append(claimed.run_id, claimed.fencing_token, b"first")
    assert payloads(store, queued.run_id) == [b"first"]


def test_the_owner_of_a_rejected_run_cannot_write_to_its_replacement(
    store: RunStore, claimed: RunRecord
) -> None:
    refused = store.read(claimed.run_id)
    finish(store, refused, RunState.RUN_STATE_REJECTED)
    store.create(RunRecord(run_id=claimed.run_id, session_id=claimed.session_id))
    successor = store.claim(claimed.run_id, "trainer-2")
    assert successor.fencing_token > claimed.fencing_token
    with pytest.raises(Conflict):
        store.append(claimed.run_id, claimed.fencing_token, b"late")
    assert payloads(store, claimed.run_id) == []


def test_many_creators_of_one_run_all_get_it(store: RunStore) -> None:
    creators = 8
    run = new_run()
    together = threading.Barrier(creators)

    def create(_: int) -> RunRecord:
        together.wait(120)
        return store.create(run)

    with ThreadPoolExecutor(creators) as pool:
        made = list(pool.map(create, range(creators)))

    assert made == [store.read(run.run_id)] * creators
    assert [each.run_id for each in store.active()].count(run.run_id) == 1


def test_sessions_are_independent(store: RunStore, queued: RunRecord) -> None:
    other = new_run()
    assert store.create(other).run_id == other.run_id


def test_one_of_many_creators_wins(store: RunStore) -> None:
    creators = 8
    session_id = str(uuid.uuid4())
    runs = [new_run(session_id) for _ in range(creators)]
    together = threading.Barrier(creators)

    def create(run: RunRecord) -> str:
        together.wait(120)
        return store.create(run).run_id

    with ThreadPoolExecutor(creators) as pool:
        winners = set(pool.map(create, runs))

    assert len(winners) == 1
    for run in runs:
        if run.run_id not in winners:
            with pytest.raises(NotFound):
                store.read(run.run_id)


def test_each_claim_gets_a_higher_token(
    store: RunStore, queued: RunRecord, clock: FakeClock
) -> None:
    clock.advance(5)
    first = store.claim(queued.run_id, "trainer-1")
    assert (first.state, first.owner, first.fencing_token) == (RUNNING, "trainer-1", 1)
    assert first.heartbeat_ms == int(clock.now_s * 1000)
    second = store.claim(queued.run_id, "trainer-2")
    assert (second.owner, second.fencing_token) == ("trainer-2", 2)
    assert store.read(queued.run_id) == second


def test_concurrent_claims_get_different_tokens(store: RunStore, queued: RunRecord) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: store.claim(queued.run_id, f"t{n}"), range(8)))
    assert sorted(claim.fencing_token for claim in claims) == list(range(1, 9))
    newest = max(claims, key=lambda claim: claim.fencing_token)
    assert store.read(queued.run_id).owner == newest.owner


def test_a_heartbeat_is_recorded(store: RunStore, claimed: RunRecord, clock: FakeClock) -> None:
    clock.advance(3)
    assert store.heartbeat(claimed.run_id, claimed.fencing_token)
    assert store.read(claimed.run_id).heartbeat_ms == int(clock.now_s * 1000)


def test_an_outdated_token_is_rejected(
    store: RunStore, claimed: RunRecord, clock: FakeClock
) -> None:
    newer = store.claim(claimed.run_id, "trainer-2")
    clock.advance(3)

    assert not store.heartbeat(claimed.run_id, claimed.fencing_token)
    with pytest.raises(Conflict, match="taken over by another trainer"):
        store.append(claimed.run_id, claimed.fencing_token, b"late")
    with pytest.raises(Conflict):
        finish(store, claimed)

    assert store.read(claimed.run_id) == newer
    assert store.latest(claimed.run_id) is None


def test_an_ended_run_accepts_no_writes(store: RunStore, claimed: RunRecord) -> None:
    finish(store, claimed)
    ended = store.read(claimed.run_id)

    assert not store.heartbeat(claimed.run_id, claimed.fencing_token)
    assert not store.request_stop(claimed.run_id)
    for call in (
        lambda: store.append(claimed.run_id, claimed.fencing_token, b"late"),
        lambda: finish(store, claimed),
        lambda: store.claim(claimed.run_id, "trainer-2"),
    ):
        with pytest.raises(Conflict):
            call()

    assert store.read(claimed.run_id) == ended
    assert payloads(store, claimed.run_id) == [b"last"]


def test_finish_writes_the_result_and_the_last_message(
    store: RunStore, claimed: RunRecord, clock: FakeClock
) -> None:
    store.request_stop(claimed.run_id)
    clock.advance(9)
    store.heartbeat(claimed.run_id, claimed.fencing_token)
    claimed.result_weights_digest = "ab" * 32
    finish(store, claimed)

    ended = store.read(claimed.run_id)

    assert ended.state == COMPLETE
    assert ended.result_weights_digest == "ab" * 32
    assert ended.stop_requested  # asked for after the owner read its record
    assert ended.heartbeat_ms == int(clock.now_s * 1000)
    assert ended.owner == "trainer-1"
    latest = store.latest(claimed.run_id)
    assert latest is not None
    assert latest.payload == b"last"


def test_finish_needs_a_final_state(store: RunStore, claimed: RunRecord) -> None:
    with pytest.raises(ValueError, match="RUN_STATE_RUNNING does not end a run"):
        finish(store, claimed, RUNNING)


def test_a_stop_request_reaches_the_owner(store: RunStore, claimed: RunRecord) -> None:
    assert not store.read(claimed.run_id).stop_requested
    assert store.request_stop(claimed.run_id)
    assert store.read(claimed.run_id).stop_requested
    assert store.claim(claimed.run_id, "trainer-2").stop_requested
    assert store.heartbeat(claimed.run_id, 2)


def test_a_claim_with_a_token_succeeds_only_while_it_is_current(
    store: RunStore, queued: RunRecord
) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: try_claim(store, queued.run_id, f"t{n}", 0), range(8)))
    assert sorted(claims)[:7] == [""] * 7
    assert store.read(queued.run_id).owner == max(claims)
    assert store.read(queued.run_id).fencing_token == 1
    assert try_claim(store, queued.run_id, "next", 1) == "next"


def try_claim(store: RunStore, run_id: str, owner: str, expected_token: int) -> str:
    try:
        return store.claim(run_id, owner, expected_token).owner
    except Conflict:
        return ""


def test_a_claim_sent_twice_because_its_reply_was_lost_counts_once(
    store: RunStore, queued: RunRecord
) -> None:
    first = store.claim(queued.run_id, "trainer-1", 0)
    assert store.claim(queued.run_id, "trainer-1", 0) == first


def test_active_runs_are_listed_in_the_order_of_their_creation(
    store: RunStore, clock: FakeClock
) -> None:
    runs = [store.create(new_run()) for _ in range(12)]
    claimed = store.claim(runs[3].run_id, "trainer-1")
    finish(store, store.claim(runs[4].run_id, "trainer-1"))

    listed = [run for run in store.active() if run.run_id in {each.run_id for each in runs}]

    assert [run.run_id for run in listed] == [
        run.run_id for number, run in enumerate(runs) if number != 4
    ]
    assert listed[0] == ActiveRun(runs[0].run_id, runs[0].session_id, True, 0, 0)
    assert listed[3] == ActiveRun(
        claimed.run_id, claimed.session_id, False, 1, int(clock.now_s * 1000)
    )


def test_attempts_count_from_the_newest_checkpoint(store: RunStore, queued: RunRecord) -> None:
    for attempt in (1, 2):
        run = store.claim(queued.run_id, "trainer-1")
        assert run.attempts == attempt
        assert store.release(run.run_id, run.fencing_token, died=True)
    run = store.claim(queued.run_id, "trainer-1")
    store.save_checkpoint(run.run_id, run.fencing_token, "ab" * 32)

    read = store.read(queued.run_id)
    assert (read.attempts, read.checkpoint_digest) == (0, "ab" * 32)
    again = store.claim(queued.run_id, "trainer-2")
    assert (again.attempts, again.checkpoint_digest) == (1, "ab" * 32)


def test_a_released_run_keeps_its_place_in_the_queue(store: RunStore) -> None:
    first, second = store.create(new_run()), store.create(new_run())
    claimed = store.claim(first.run_id, "trainer-1")

    assert store.release(first.run_id, claimed.fencing_token, died=False)

    released = store.read(first.run_id)
    assert (released.state, released.owner, released.attempts) == (QUEUED, "", 0)
    ours = [run for run in store.active() if run.run_id in {first.run_id, second.run_id}]
    assert [run.run_id for run in ours] == [first.run_id, second.run_id]
    assert ours[0].queued


def test_the_former_owner_of_a_released_run_cannot_write(
    store: RunStore, claimed: RunRecord
) -> None:
    token = claimed.fencing_token
    assert store.release(claimed.run_id, token, died=True)

    assert not store.release(claimed.run_id, token, died=True)
    assert store.heartbeat(claimed.run_id, token) is LeaseStatus.LOST
    for call in (
        lambda: store.append(claimed.run_id, token, b"late"),
        lambda: store.save_checkpoint(claimed.run_id, token, "ab" * 32),
        lambda: finish(store, claimed),
    ):
        with pytest.raises(Conflict):
            call()
    read = store.read(claimed.run_id)
    assert (read.state, read.checkpoint_digest) == (QUEUED, "")
    assert payloads(store, claimed.run_id) == []


def test_only_a_running_run_can_be_released(store: RunStore, queued: RunRecord) -> None:
    assert not store.release(queued.run_id, 0, died=False)
    finish(store, store.claim(queued.run_id, "trainer-1"))
    assert not store.release(queued.run_id, 1, died=False)
    assert store.read(queued.run_id).state == COMPLETE


def test_the_end_removes_the_checkpoint_and_keeps_the_result(
    store: RunStore, claimed: RunRecord
) -> None:
    store.save_checkpoint(claimed.run_id, claimed.fencing_token, "ab" * 32)
    run = store.read(claimed.run_id)
    run.result.CopyFrom(Pipeline(config_json=b"{}", config_digest="c", weights_digest="w"))
    finish(store, run)

    ended = store.read(claimed.run_id)

    assert ended.checkpoint_digest == ""
    assert ended.result == run.result


def test_a_queued_run_can_be_cancelled(store: RunStore, queued: RunRecord) -> None:
    queued.state = RunState.RUN_STATE_CANCELLED

    assert store.cancel_queued(queued, b"cancelled")

    assert store.read(queued.run_id).state == RunState.RUN_STATE_CANCELLED
    assert payloads(store, queued.run_id) == [b"cancelled"]
    assert queued.run_id not in {run.run_id for run in store.active()}
    assert not store.cancel_queued(queued, b"again")
    with pytest.raises(Conflict):
        store.claim(queued.run_id, "trainer-1")


def test_a_running_run_cannot_be_cancelled_as_queued(store: RunStore, claimed: RunRecord) -> None:
    running = store.read(claimed.run_id)
    claimed.state = RunState.RUN_STATE_CANCELLED

    assert not store.cancel_queued(claimed, b"cancelled")

    assert store.read(claimed.run_id) == running
    assert payloads(store, claimed.run_id) == []


def test_all_stored_runs_are_listed(store: RunStore, claimed: RunRecord) -> None:
    store.save_checkpoint(claimed.run_id, claimed.fencing_token, "c" * 64)
    ended = store.claim(store.create(new_run()).run_id, "trainer-2")
    ended.result.weights_digest = "r" * 64
    finish(store, ended)

    found = {run.run_id: run for run in store.all()}

    assert found[claimed.run_id].state == RUNNING
    assert found[claimed.run_id].checkpoint_digest == "c" * 64
    assert found[ended.run_id].state == COMPLETE
    assert found[ended.run_id].result.weights_digest == "r" * 64


def test_heartbeats_extend_the_expiry_of_a_queued_run(
    store: RunStore, queued: RunRecord, clock: FakeClock
) -> None:
    clock.advance(3)
    assert store.heartbeat(queued.run_id, 0) is LeaseStatus.HELD
    assert store.read(queued.run_id).heartbeat_ms == int(clock.now_s * 1000)


def test_a_heartbeat_returns_the_stop_request(store: RunStore, claimed: RunRecord) -> None:
    assert store.heartbeat(claimed.run_id, 1) is LeaseStatus.HELD
    store.request_stop(claimed.run_id)
    assert store.heartbeat(claimed.run_id, 1) is LeaseStatus.STOPPING
    store.claim(claimed.run_id, "trainer-2")
    assert store.heartbeat(claimed.run_id, 1) is LeaseStatus.LOST
    assert store.heartbeat(claimed.run_id, 2) is LeaseStatus.STOPPING


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.read("none"),
        lambda store: store.claim("none", "t"),
        lambda store: store.append("none", 1, b""),
        lambda store: store.save_checkpoint("none", 1, "ab" * 32),
        lambda store: store.finish(RunRecord(run_id="none", state=COMPLETE, fencing_token=1), b""),
    ],
    ids=["read", "claim", "append", "save_checkpoint", "finish"],
)
def test_an_unknown_run(store: RunStore, call: Callable[[RunStore], object]) -> None:
    with pytest.raises(NotFound, match="Training run none not found"):
        call(store)


def test_an_unknown_run_is_no_error_where_none_is_documented(store: RunStore) -> None:
    assert not store.heartbeat("none", 1)
    assert not store.request_stop("none")
    assert not store.release("none", 1, died=True)
    assert not store.cancel_queued(RunRecord(run_id="none", state=COMPLETE), b"")
    assert store.latest("none") is None
    assert payloads(store, "none") == []


def test_tail_replays_from_the_first_and_continues_after_a_position(
    store: RunStore, claimed: RunRecord
) -> None:
    sent = [f"{number}".encode() for number in range(600)]  # more than one read fetches
    positions = [store.append(claimed.run_id, 1, payload) for payload in sent]

    entries = list(store.tail(claimed.run_id, wait_s=0.01))

    assert [entry.payload for entry in entries] == sent
    assert [entry.position for entry in entries] == positions
    assert payloads(store, claimed.run_id, after=positions[399]) == sent[400:]
    assert payloads(store, claimed.run_id, after=positions[-1]) == []
    assert store.latest(claimed.run_id) == ProgressEntry(positions[-1], sent[-1])


def test_payloads_may_contain_any_bytes(store: RunStore, claimed: RunRecord) -> None:
    for payload in (b"", bytes(range(256)), b"\r\n$1\r\n"):
        store.append(claimed.run_id, 1, payload)
    assert payloads(store, claimed.run_id) == [b"", bytes(range(256)), b"\r\n$1\r\n"]


def test_tail_yields_entries_that_arrive_while_it_waits(
    store: RunStore, claimed: RunRecord
) -> None:
    seen: list[bytes] = []
    first_seen = threading.Event()

    def read() -> None:
        for entry in store.tail(claimed.run_id, wait_s=20.0):
            seen.append(entry.payload)
            first_seen.set()
            if entry.payload == b"last":
                return

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        store.append(claimed.run_id, 1, b"first")
        assert first_seen.wait(120)
        finish(store, claimed)
        reader.result(120)
    assert seen == [b"first", b"last"]


@pytest.mark.parametrize("wait_s", [0.0, 0.3, 1.3])
def test_tail_ends_without_an_error_if_nothing_arrives(
    store: RunStore, claimed: RunRecord, wait_s: float
) -> None:
    store.append(claimed.run_id, 1, b"first")
    tail = store.tail(claimed.run_id, wait_s=wait_s)
    assert next(tail).payload == b"first"
    begin = time.monotonic()
    assert next(tail, None) is None
    assert wait_s <= time.monotonic() - begin < wait_s + 30.0
