"""API keys over TLS: who is accepted, and who owns a session."""

import uuid

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.security.callers import ALICE, BOB, REDIS_USER, refusal, session, unary
from tests.support.certificates import Authority, credentials

pytestmark = [pytest.mark.e2e, pytest.mark.published]

OF_ALICE, OF_BOB = (("authorization", f"Bearer {ALICE}"),), (("x-api-key", BOB),)
_METHODS_OF_SESSIONS = sorted(
    method
    for methods in METHODS_BY_SERVICE.values()
    for method in methods
    if "session_id" in getattr(pb2, f"{method}Request").DESCRIPTOR.fields_by_name
)


@pytest.fixture
def published(published_at, stack):
    return published_at(stack.address)


@pytest.fixture(scope="module")
def channel(stack, authority):
    with grpc.secure_channel(stack.address, credentials(authority.path)) as channel:
        yield channel


def test_a_right_key_is_accepted(published, authority):
    published.works(ca=authority.path, metadata=dict(OF_ALICE))
    published.works("create", "close", ca=authority.path, metadata=dict(OF_BOB))


@pytest.mark.parametrize("metadata", [{}, {"x-api-key": "alice"}], ids=["none", "wrong"])
def test_no_key_and_a_wrong_one_are_refused(published, authority, metadata):
    code, text = published.refused(ca=authority.path, metadata=metadata)
    assert code == "UNAUTHENTICATED"
    assert "send a valid key" in text


def test_the_server_must_be_known_and_is_not_spoken_to_in_clear(published, tmp_path):
    key = dict(OF_ALICE)
    stranger = Authority(tmp_path / "stranger")
    code, text = published.refused(ca=stranger.path, metadata=key)
    assert code == "UNAVAILABLE"
    assert "CERTIFICATE_VERIFY_FAILED" in text
    assert published.refused(metadata=key)[0] == "UNAVAILABLE"


def test_passwords_and_keys_are_in_no_log(stack):
    log = stack.log.read_text(encoding="utf-8")
    assert "redis_url=rediss://fleet:***@" in log
    for secret in (REDIS_USER[1], ALICE, BOB):
        assert secret not in log


@pytest.mark.parametrize("method", _METHODS_OF_SESSIONS)
def test_a_session_of_another_is_as_unknown_as_one_that_never_was(channel, method):
    mine, unknown = session(channel, OF_ALICE), str(uuid.uuid4())
    error, expected = (
        refusal(channel, method, OF_BOB, session_id=session_id) for session_id in (mine, unknown)
    )
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == expected.details().replace(unknown, mine)
    assert unary(channel, "CloseSession", OF_ALICE, session_id=mine).success


def test_a_restored_session_is_its_restorers(channel):
    first = session(channel, OF_ALICE)
    resolved = unary(
        channel,
        "ResolveConfig",
        OF_ALICE,
        session_id=first,
        config_type="trainrun",
        path="trainrun/rx_statistical",
    )
    unary(
        channel,
        "SetTrainRunConfig",
        OF_ALICE,
        session_id=first,
        config=pb2.TrainRunConfig(config_bytes=resolved.config_bytes),
    )
    unary(channel, "SaveTrainRun", OF_ALICE, session_id=first, trainrun_path="security.yaml")

    restored = unary(channel, "RestoreTrainRun", OF_BOB, trainrun_path="security.yaml").session_id

    refused = refusal(channel, "GetTrainStatus", OF_ALICE, session_id=restored)
    assert refused.code() is grpc.StatusCode.NOT_FOUND
    assert unary(channel, "GetTrainStatus", OF_BOB, session_id=restored)
