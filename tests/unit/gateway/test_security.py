"""Security settings: which go together, and what is written for Envoy."""

import json
import shutil
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet_gateway import GatewaySettings, SecuritySettings, UnusableFile, write_gateway_files
from tests.support.certificates import Authority

ENDPOINTS = {
    f"{service}_endpoints": ("127.0.0.1:5101",)
    for service in ("session", "config", "trainer", "inference")
}
TLS = {"grpc_use_tls": True, "grpc_tls_cert_path": "pem", "grpc_tls_key_path": "key"}
KEY = "alice-has-this-key-0001"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """In the working folder: ``pem`` and its ``key``, ``keys`` and ``jwks``."""
    pair = Authority(tmp_path / "ca").server()
    shutil.copy(pair.certificate, tmp_path / "pem")
    shutil.copy(pair.key, tmp_path / "key")
    (tmp_path / "keys").write_text(f"alice: {KEY}")
    (tmp_path / "jwks").write_text('{"keys": [{"kty": "EC"}]}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"grpc_use_tls": True}, "GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH"),
        ({**TLS, "grpc_tls_key_path": None}, "GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH"),
        ({"grpc_tls_client_ca_path": "pem"}, "needs GRPC_USE_TLS"),
        ({"api_keys_path": "keys", "jwt_jwks_path": "jwks"}, "choose one"),
        ({"calls_burst": 5}, "needs CALLS_PER_S"),
        ({**TLS, "grpc_tls_cert_path": "missing"}, "does not point to a file"),
    ],
)
def test_what_does_not_go_together_is_refused(files, chosen, text):
    with pytest.raises(ValidationError, match=text):
        SecuritySettings(**chosen)


def _write(folder: Path, **security: object) -> dict[str, dict]:
    write_gateway_files(GatewaySettings(**ENDPOINTS, **security), folder)
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


def _manager(written: dict[str, dict], listener: int = 0) -> dict:
    (chain,) = written["envoy.json"]["static_resources"]["listeners"][listener]["filter_chains"]
    return chain["filters"][0]["typed_config"]


def test_without_security_there_is_only_one_plaintext_listener(tmp_path):
    written = _write(tmp_path)
    assert set(written) == {"envoy.json"}
    (listener,) = written["envoy.json"]["static_resources"]["listeners"]
    assert "transport_socket" not in listener["filter_chains"][0]
    names = [each["name"].rpartition(".")[2] for each in _manager(written)["http_filters"]]
    assert names == ["grpc_stats", "router"]


def test_only_the_owner_can_read_files_with_secrets(files):
    written = _write(files / "run", **TLS, api_keys_path="keys")
    for name, content in written.items():
        assert (KEY in json.dumps(content)) is (name == "api_key_auth.json")
        assert stat.S_IMODE((files / "run" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("security", "text"),
    [
        ({"grpc_tls_key_path": "ca/other.key"}, "pem and ca/other.key are not a PEM"),
        ({"grpc_tls_cert_path": "keys"}, "keys and key are not a PEM"),
        ({"grpc_tls_client_ca_path": "jwks"}, "jwks does not contain PEM certificates"),
    ],
)
def test_unusable_certificates_are_reported(files, security, text):
    Authority(files / "ca").server("other")
    with pytest.raises(UnusableFile, match=text):
        _write(files / "run", **{**TLS, **security})


@pytest.mark.parametrize("security", [{"api_keys_path": "keys"}, {"jwt_jwks_path": "jwks"}])
def test_only_health_is_open_to_everybody(files, security):
    manager = _manager(_write(files / "run", **security, calls_per_s=5))
    *_, authentication, guard, limit, _router = (each["name"] for each in manager["http_filters"])
    assert guard == "envoy.filters.http.rbac"
    assert limit == "envoy.filters.http.local_ratelimit"
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        is_health = route["match"].get("prefix") == "/grpc.health.v1.Health/"
        open_to_all = set(route.get("typed_per_filter_config", {}))
        assert open_to_all == ({authentication, guard} if is_health else set())


def test_the_health_port_has_health_alone(files):
    manager = _manager(_write(files / "run", **TLS, health_port=5200), listener=1)
    (host,) = manager["route_config"]["virtual_hosts"]
    assert {route["match"]["prefix"] for route in host["routes"]} == {"/grpc.health.v1.Health/"}
