"""Only its creator can see a session, in every store."""

import uuid
from collections.abc import Callable

import pytest

from fleet_platform.caller import Caller, acting_for
from fleet_platform.errors import NotFound
from fleet_platform.sessions import OwnerScopedSessionStore, RedisSessionStore, SessionStore
from fleet_platform.testing import MemorySessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord
from tests.contract.stores.conftest import adding_plugin

TTL_S = 60.0
ALICE, BOB, NOBODY = Caller("alice"), Caller("bob"), Caller()

METHODS: dict[str, Callable[[SessionStore, str], object]] = {
    "read": lambda store, session_id: store.read(session_id),
    "update": lambda store, session_id: store.update(session_id, adding_plugin("p")),
    "delete": lambda store, session_id: store.delete(session_id),
}


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "memory":
        return OwnerScopedSessionStore(MemorySessionStore(TTL_S), TTL_S)
    return OwnerScopedSessionStore(
        RedisSessionStore(request.getfixturevalue("connection"), TTL_S), TTL_S
    )


def _create(store: SessionStore, caller: Caller) -> str:
    record = SessionRecord(session_id=str(uuid.uuid4()))
    with acting_for(caller):
        store.create(record)
    return record.session_id


def _refusal(call: Callable[[], object]) -> str:
    with pytest.raises(NotFound) as caught:
        call()
    return caught.value.text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("owner", [ALICE, NOBODY], ids=["alice", "nobody"])
def test_the_creator_of_a_session_owns_it(store: SessionStore, method: str, owner: Caller) -> None:
    session_id = _create(store, owner)
    with acting_for(owner):
        assert store.read(session_id).owner == owner.identity
        METHODS[method](store, session_id)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("owner", "other"), [(ALICE, BOB), (ALICE, NOBODY), (NOBODY, BOB)], ids=str
)
def test_for_others_it_does_not_exist(
    store: SessionStore, method: str, owner: Caller, other: Caller
) -> None:
    session_id, unknown = _create(store, owner), str(uuid.uuid4())
    with acting_for(other):
        error = _refusal(lambda: METHODS[method](store, session_id))
        expected = _refusal(lambda: METHODS[method](store, unknown))
    assert error == expected.replace(unknown, session_id)
    with acting_for(owner):
        assert not store.read(session_id).plugins, "nothing was changed"


def test_background_work_reaches_all_sessions(store: SessionStore) -> None:
    session_id = _create(store, ALICE)
    store.update(session_id, adding_plugin("p"))
    assert store.touch(session_id)
    assert store.read(session_id).owner == "alice"


def test_a_record_cannot_claim_another_owner(store: SessionStore) -> None:
    record = SessionRecord(session_id=str(uuid.uuid4()), owner="alice")
    with acting_for(BOB):
        store.create(record)
        assert store.read(record.session_id).owner == "bob"
