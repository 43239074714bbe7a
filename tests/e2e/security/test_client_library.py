"""The client library at a secured gateway."""

import grpc
import pytest

import cuvis_fleet
from tests.e2e.security.callers import ALICE, another_gateway

pytestmark = pytest.mark.e2e


def test_with_a_key_over_tls(stack, authority):
    with (
        cuvis_fleet.connect(stack.address, tls=authority.path, key=ALICE) as client,
        client.session() as session,
    ):
        assert session.resolve("trainrun", "trainrun/rx_statistical").data


def test_a_wrong_key_is_reported(stack, authority):
    with (
        cuvis_fleet.connect(stack.address, tls=authority.path, key="alice") as client,
        pytest.raises(cuvis_fleet.NotAllowed, match="valid key") as caught,
        client.session() as session,
    ):
        session.status()
    assert caught.value.code is grpc.StatusCode.UNAUTHENTICATED


def test_with_a_client_certificate(stack, authority, tmp_path):
    server, client_pair = authority.server("at-three"), authority.client("carol")
    with (
        another_gateway(
            stack,
            tmp_path,
            grpc_use_tls=True,
            grpc_tls_cert_path=server.certificate,
            grpc_tls_key_path=server.key,
            grpc_tls_client_ca_path=authority.path,
        ) as address,
        cuvis_fleet.connect(
            address, tls=authority.path, certificate=(client_pair.certificate, client_pair.key)
        ) as client,
        client.session() as session,
    ):
        assert session.resolve("trainrun", "trainrun/rx_statistical").data


def test_a_certificate_without_tls_is_refused(tmp_path):
    with pytest.raises(ValueError, match="certificate needs TLS"):
        cuvis_fleet.connect("localhost:1", certificate=(tmp_path / "c", tmp_path / "k"))
