"""Certificates are replaced while the gateway runs, without failing calls."""

import json
import shutil
import socket
import ssl
from pathlib import Path

import grpc
from cryptography import x509

from fleet_proto.methods import SERVICE_NAME
from tests.integration.gateway.gateway_process import DEADLINE_S, gateway, received
from tests.support.certificates import Authority, credentials
from tests.support.polling import wait_until


def _shown(address: str) -> x509.Certificate:
    """The certificate that a new connection is shown."""
    host, port = address.split(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain) as secured,
    ):
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True))


def _held(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_new_certificate_is_shown_and_no_call_is_cut(tmp_path):
    ca = Authority(tmp_path / "ca")
    server = ca.server()
    first = _held(server.certificate)
    with (
        gateway(
            tmp_path / "run",
            grpc_use_tls=True,
            grpc_tls_cert_path=server.certificate,
            grpc_tls_key_path=server.key,
        ) as running,
        grpc.secure_channel(running.address, credentials(ca.path)) as old,
    ):
        assert _shown(running.address) == first
        stream = old.unary_stream(f"/{SERVICE_NAME}/Train")(b"", timeout=DEADLINE_S)
        assert json.loads(next(stream)), "the stream is open"

        renewed = _held(ca.server().certificate)

        assert renewed != first
        wait_until(lambda: _shown(running.address) == renewed, "the new certificate is shown")
        with grpc.secure_channel(running.address, credentials(ca.path)) as new:
            assert received(new)
        running.upstream.end.set()
        assert list(stream) == [b"{}"], "the stream that was open has come to its end"
        assert received(old)


def test_half_a_pair_changes_nothing(tmp_path):
    ca = Authority(tmp_path / "ca")
    server = ca.server()
    first, renewed = _held(server.certificate), ca.server("renewed")
    with gateway(
        tmp_path / "run",
        grpc_use_tls=True,
        grpc_tls_cert_path=server.certificate,
        grpc_tls_key_path=server.key,
    ) as running:
        log = tmp_path / "run" / "envoy.log"
        renewed.key.replace(server.key)
        wait_until(lambda: "KEY_VALUES_MISMATCH" in log.read_text(), "the log tells what is wrong")
        assert _shown(running.address) == first

        expected = _held(renewed.certificate)
        renewed.certificate.replace(server.certificate)
        wait_until(lambda: _shown(running.address) == expected, "the whole pair is taken")


def test_the_authorities_of_clients_are_replaced(tmp_path):
    ca, next_ca = Authority(tmp_path / "ca"), Authority(tmp_path / "next")
    server = ca.server()
    trusted = tmp_path / "trusted" / "clients.pem"
    trusted.parent.mkdir()
    shutil.copy(ca.path, trusted)
    known, later = (credentials(ca.path, authority.client("alice")) for authority in (ca, next_ca))
    with gateway(
        tmp_path / "run",
        grpc_use_tls=True,
        grpc_tls_cert_path=server.certificate,
        grpc_tls_key_path=server.key,
        grpc_tls_client_ca_path=trusted,
    ) as running:
        assert _let_in(running.address, known)
        assert not _let_in(running.address, later)
        shutil.copy(next_ca.path, trusted.with_suffix(".new"))
        trusted.with_suffix(".new").replace(trusted)
        wait_until(lambda: _let_in(running.address, later), "the new authority is trusted")
        assert not _let_in(running.address, known)


def _let_in(address: str, by: grpc.ChannelCredentials) -> bool:
    with grpc.secure_channel(address, by) as channel:
        try:
            return bool(received(channel))
        except grpc.RpcError as error:
            return error.code() is not grpc.StatusCode.UNAVAILABLE
