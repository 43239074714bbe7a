"""A stack with every security setting on at once, and a published client."""

import pytest

from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from tests.e2e.security.callers import ALICE, BOB, REDIS_USER, Published
from tests.support.certificates import Authority
from tests.support.network.tls_relay import TlsRelay
from tests.support.processes.redis_server import RedisServer
from tests.support.stacks import stack_environment


@pytest.fixture(scope="package")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="package")
def stack(tmp_path_factory, data_dir, authority):
    """TLS and API keys at the gateway; Redis behind TLS and a password."""
    folder = tmp_path_factory.mktemp("security")
    keys, server = folder / "keys.yaml", authority.server()
    keys.write_text(f"alice: {ALICE}\nbob: {BOB}\n", encoding="utf-8")
    with (
        RedisServer(folder / "redis", user=REDIS_USER) as redis,
        TlsRelay(redis.port, server) as relay,
    ):
        settings = {
            "GATEWAY_HOST": "0.0.0.0",
            "GRPC_USE_TLS": "true",
            "GRPC_TLS_CERT_PATH": str(server.certificate),
            "GRPC_TLS_KEY_PATH": str(server.key),
            "API_KEYS_PATH": str(keys),
            "REDIS_URL": f"rediss://{':'.join(REDIS_USER)}@127.0.0.1:{relay.port}/0",
            "REDIS_CA_PATH": str(authority.path),
        }
        environment = stack_environment(folder, data_dir, settings)
        with background_stack(free_ports(1)[0], folder / "run", environment) as running:
            yield running


@pytest.fixture
def published_at(data_dir, tmp_path):
    """``published_at(address)`` -> the published client of that gateway."""
    return lambda address: Published(address, data_dir / "scene.npz", tmp_path)
