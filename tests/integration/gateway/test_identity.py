"""The gateway authenticates callers and names them to the services; clients cannot forge it."""

import time

import grpc
import pytest

from fleet_platform.rpc import connect
from tests.integration.gateway.gateway_process import KEYS, gateway, received, serves
from tests.support.certificates import Authority, credentials
from tests.support.polling import wait_until
from tests.support.token_issuer import TokenIssuer

IDENTITY, ADDRESS = "x-fleet-caller", "x-fleet-address"
ALICE, BOB = "alice-has-this-key-0001", "bob-has-this-key-00002"


@pytest.fixture(scope="module")
def with_keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    keys = folder / "keys.yaml"
    keys.write_text(KEYS, encoding="utf-8")
    with gateway(folder / "run", api_keys_path=keys) as running:
        yield running


@pytest.fixture
def channel(with_keys):
    with connect(with_keys.address) as channel:
        yield channel


def _refused(channel: grpc.Channel, **metadata: str) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        received(channel, **metadata)
    return caught.value.code(), caught.value.details()


def test_a_key_tells_its_caller_and_goes_no_further(channel):
    for metadata in ({"x_api_key": ALICE}, {"authorization": f"Bearer {ALICE}"}):
        reached = received(channel, **metadata)
        assert reached[IDENTITY] == "alice"
        assert ALICE not in "".join(reached.values())
    assert received(channel, x_api_key=BOB)[IDENTITY] == "bob"


@pytest.mark.parametrize(
    "metadata",
    [{}, {"x_api_key": "alice"}, {"x_api_key": ALICE[:-1]}, {"authorization": f"Basic {ALICE}"}],
    ids=["no key", "a name", "a wrong key", "another scheme"],
)
@pytest.mark.parametrize("method", ["ResolveConfig", "Inference", "NoSuchMethod"])
def test_without_a_right_key_nothing_is_reached(channel, method, metadata):
    code, text = _refused(channel, method=method, **metadata)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "authorization: Bearer" in text


def test_what_a_client_claims_to_be_is_taken_away(channel):
    claims = {"x_fleet_caller": "bob", "x_fleet_address": "192.0.2.7"}
    assert _refused(channel, **claims)[0] is grpc.StatusCode.UNAUTHENTICATED
    reached = received(channel, x_api_key=ALICE, **claims)
    assert (reached[IDENTITY], reached[ADDRESS]) == ("alice", "127.0.0.1")


def test_health_needs_no_key_and_reflection_does(with_keys, channel):
    assert serves(channel)
    with connect(with_keys.health_address) as health:
        assert serves(health)
        code, _ = _refused(health, x_api_key=ALICE)
        assert code is grpc.StatusCode.UNIMPLEMENTED, "the health port reaches no service"
    reflect = channel.unary_unary("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    with pytest.raises(grpc.RpcError) as caught:
        reflect(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_keys_are_replaced_beside_a_running_gateway(tmp_path):
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"alice: {ALICE}", encoding="utf-8")
    with (
        gateway(tmp_path / "run", api_keys_path=keys) as running,
        connect(running.address) as calls,
    ):
        assert received(calls, x_api_key=ALICE)[IDENTITY] == "alice"

        keys.write_text(f"bob: {BOB}", encoding="utf-8")
        running.write_files()

        wait_until(lambda: _is(calls, "bob", x_api_key=BOB), "the new key is taken")
        assert _refused(calls, x_api_key=ALICE)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_without_authentication_callers_have_no_name(tmp_path):
    with gateway(tmp_path) as running, connect(running.address) as calls:
        reached = received(calls, x_fleet_caller="bob", x_fleet_address="192.0.2.7")
        assert IDENTITY not in reached
        assert reached[ADDRESS] == "127.0.0.1"


def _is(channel: grpc.Channel, identity: str, **metadata: str) -> bool:
    try:
        return received(channel, **metadata)[IDENTITY] == identity
    except grpc.RpcError:
        return False


def test_a_token_tells_its_subject(tmp_path):
    issuer, stranger = TokenIssuer("one"), TokenIssuer("one")
    jwks = tmp_path / "jwks.json"
    issuer.publish(jwks)
    with (
        gateway(
            tmp_path / "run", jwt_jwks_path=jwks, jwt_issuer="lab", jwt_audience="fleet"
        ) as running,
        connect(running.address) as calls,
    ):
        reached = received(calls, authorization=f"Bearer {issuer.token()}", x_fleet_caller="bob")
        assert reached[IDENTITY] == "alice"
        assert "authorization" not in reached
        wrong = {
            "signed by another": stranger.token(),
            "of another issuer": issuer.token(iss="elsewhere"),
            "run out": issuer.token(exp=time.time() - 3600),
            "for ever": issuer.token(exp=None),
            "of nobody": issuer.token(sub=None),
            "of a name that is no ASCII": issuer.token(sub="Zoë"),
            "no token": "alice",
        }
        for what, token in wrong.items():
            code, text = _refused(calls, authorization=f"Bearer {token}")
            assert code is grpc.StatusCode.UNAUTHENTICATED, what
            assert "authorization: Bearer" in text, what
        code, text = _refused(calls, authorization=f"Bearer {issuer.token(aud='elsewhere')}")
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert "audience" in text
        assert serves(calls)

        follower = TokenIssuer("two")
        follower.publish(jwks)
        running.write_files()
        fresh = f"Bearer {follower.token(sub='carol')}"
        wait_until(lambda: _is(calls, "carol", authorization=fresh), "the new keys are taken")
        code, _ = _refused(calls, authorization=f"Bearer {issuer.token()}")
        assert code is grpc.StatusCode.UNAUTHENTICATED


def test_a_certificate_tells_its_subject(tmp_path):
    ca, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "stranger")
    server = ca.server()
    with gateway(
        tmp_path / "run",
        grpc_use_tls=True,
        grpc_tls_cert_path=server.certificate,
        grpc_tls_key_path=server.key,
        grpc_tls_client_ca_path=ca.path,
    ) as running:
        known = credentials(ca.path, ca.client("alice"))
        with grpc.secure_channel(running.address, known) as calls:
            assert received(calls, x_fleet_caller="CN=bob")[IDENTITY].startswith("CN=alice,")
        for what, wrong in {
            "no certificate": credentials(ca.path),
            "one of another authority": credentials(ca.path, stranger.client("alice")),
            "a server that is not known": credentials(stranger.path, ca.client("alice")),
        }.items():
            with grpc.secure_channel(running.address, wrong) as calls:
                assert _refused(calls)[0] is grpc.StatusCode.UNAVAILABLE, what
        with connect(running.address) as in_clear:
            assert _refused(in_clear)[0] is grpc.StatusCode.UNAVAILABLE
