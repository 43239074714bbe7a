"""Mutual TLS: clients present a certificate, and its subject is their identity."""

import grpc
import pytest

from tests.e2e.security.callers import another_gateway, refusal, session, unary
from tests.support.certificates import Authority, credentials

pytestmark = [pytest.mark.e2e, pytest.mark.published]


def test_mutual_tls_lets_in_who_shows_a_certificate(stack, authority, published_at, tmp_path):
    stranger, ca = Authority(tmp_path / "stranger"), authority.path
    server, alice, bob = authority.server("at-two"), *map(authority.client, ("alice", "bob"))
    with another_gateway(
        stack,
        tmp_path / "gateway",
        grpc_use_tls=True,
        grpc_tls_cert_path=server.certificate,
        grpc_tls_key_path=server.key,
        grpc_tls_client_ca_path=ca,
    ) as address:
        client = published_at(address)
        client.works(
            "create", "resolve", "close", ca=ca, certificate=alice.certificate, key=alice.key
        )
        assert client.refused(ca=ca)[0] == "UNAVAILABLE"
        unknown = stranger.client("alice")
        refused = client.refused(ca=ca, certificate=unknown.certificate, key=unknown.key)
        assert refused[0] == "UNAVAILABLE"
        with (
            grpc.secure_channel(address, credentials(ca, alice)) as of_alice,
            grpc.secure_channel(address, credentials(ca, bob)) as of_bob,
        ):
            session_id = session(of_alice)
            claimed = (("x-fleet-caller", "CN=alice"),)
            error = refusal(of_bob, "GetTrainStatus", claimed, session_id=session_id)
            assert error.code() is grpc.StatusCode.NOT_FOUND
            assert unary(of_alice, "GetTrainStatus", (), session_id=session_id)
