"""Security settings of the stack: passed to the gateway, and refused in one line when unusable."""

import json

import pytest

from fleet_local.__main__ import main
from fleet_local.parts import make_parts
from fleet_local.settings import StackSettings
from fleet_platform.ports import free_ports
from tests.support.certificates import Authority
from tests.support.processes.redis_server import RedisServer

KEY = "alice-has-this-key-0001"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Sets environment variables; folders and a port are set already."""
    (tmp_path / "configs").mkdir()
    usual = {
        "GRPC_PORT": str(free_ports(1)[0]),
        "RUN_DIR": str(tmp_path / "run"),
        "DATA_DIR": str(tmp_path / "data"),
        "OUTPUT_DIR": str(tmp_path / "outputs"),
        "CUVIS_CONFIGS_DIR": str(tmp_path / "configs"),
    }

    def choose(**chosen):
        for name, value in {**usual, **chosen}.items():
            monkeypatch.setenv(name, str(value))

    return choose


def test_the_gateway_gets_all_security_settings(environment, tmp_path):
    authority = Authority(tmp_path / "ca")
    server = authority.server()
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"alice: {KEY}")
    environment(
        GRPC_USE_TLS="true",
        GRPC_TLS_CERT_PATH=server.certificate,
        GRPC_TLS_KEY_PATH=server.key,
        GRPC_TLS_CLIENT_CA_PATH=authority.path,
        API_KEYS_PATH=keys,
        CALLS_PER_S="7",
        CALLS_BURST="9",
        HEALTH_PORT="5200",
    )
    settings = StackSettings()
    settings.run_dir.mkdir()

    parts = {part.name: part for part in make_parts(settings, tmp_path / "artifacts")}

    written = {path.name: path.read_text() for path in settings.run_dir.iterdir() if path.is_file()}
    assert str(server.certificate) in written["server_certificate.json"]
    assert str(authority.path) in written["client_ca.json"]
    assert KEY in written["api_key_auth.json"]
    bucket = {"max_tokens": 9, "tokens_per_fill": 7, "fill_interval": "1s"}
    assert json.dumps(bucket) in json.dumps(json.loads(written["envoy.json"]))
    assert parts["session"].environment["GATEWAY_ADDRESS"] == "127.0.0.1:5200"


def _does_not_start(capsys):
    assert main([]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("cuvis-fleet cannot start: ")
    return line


def test_security_settings_that_conflict_are_reported_without_the_others(environment, capsys):
    environment(GRPC_USE_TLS="true", REDIS_URL="redis://:s3cret@127.0.0.1:1/0")
    line = _does_not_start(capsys)
    assert "GRPC_USE_TLS needs GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH" in line
    assert "s3cret" not in line


def test_unusable_keys_are_reported(environment, capsys, tmp_path):
    keys = tmp_path / "keys.yaml"
    keys.write_text("alice: short")
    environment(API_KEYS_PATH=keys)
    line = _does_not_start(capsys)
    assert "alice" in line
    assert str(keys) in line


def test_a_password_that_redis_rejects_is_reported(environment, capsys, tmp_path):
    with RedisServer(tmp_path / "redis", user=("fleet", "s3cret-of-redis")) as redis:
        environment(REDIS_URL=redis.url.replace("s3cret-of-redis", "wr0ng"))
        line = _does_not_start(capsys)
    assert "Redis rejects the user or the password of REDIS_URL" in line
    assert "wr0ng" not in line
