"""Redis with a password and TLS: valid clients are accepted, others get a plain error."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_platform.errors import DependencyDown
from fleet_platform.redis_connection import RedisConnection
from fleet_platform.sessions import RedisSessionStore
from fleet_proto.records.v1.records_pb2 import SessionRecord
from tests.support.certificates import Authority
from tests.support.network.tls_relay import TlsRelay
from tests.support.processes.redis_server import RedisServer

USER = ("fleet", "s3cret-of-redis")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[tuple[RedisServer, int]]:
    """A server that requires a password, and its TLS port."""
    with (
        RedisServer(tmp_path_factory.mktemp("guarded"), user=USER) as server,
        TlsRelay(server.port, authority.server()) as relay,
    ):
        yield server, relay.port


def _use(url: str, ca_path: Path | None = None) -> None:
    """Write and read a session, and ping, over a new connection."""
    connection = RedisConnection(url, ca_path)
    try:
        connection.ping()
        store = RedisSessionStore(connection, ttl_s=60)
        store.create(SessionRecord(session_id="s", owner="alice"))
        assert store.read("s").owner == "alice"
        connection.waiting.ping()
    finally:
        connection.close()


def test_with_the_password_in_plaintext(guarded: tuple[RedisServer, int]) -> None:
    _use(guarded[0].url)


def test_with_the_password_and_tls(guarded: tuple[RedisServer, int], authority: Authority) -> None:
    _use(f"rediss://{':'.join(USER)}@127.0.0.1:{guarded[1]}/0", authority.path)


@pytest.mark.parametrize(
    ("scheme", "who", "trusted"),
    [
        ("redis", "", None),
        ("redis", "fleet:wrong@", None),
        ("rediss", "fleet:wrong@", "own"),
        ("rediss", "fleet:s3cret-of-redis@", "another"),
        ("rediss", "fleet:s3cret-of-redis@", None),
        ("redis", "fleet:s3cret-of-redis@", "in clear to TLS"),
    ],
)
def test_a_rejected_client_learns_no_reason(
    guarded: tuple[RedisServer, int],
    authority: Authority,
    tmp_path: Path,
    scheme: str,
    who: str,
    trusted: str | None,
) -> None:
    server, tls_port = guarded
    port = server.port if scheme == "redis" and trusted is None else tls_port
    authorities = {"own": authority.path, "another": Authority(tmp_path).path}
    with pytest.raises(DependencyDown) as caught:
        _use(f"{scheme}://{who}127.0.0.1:{port}/0", authorities.get(trusted or ""))
    assert caught.value.text == "The session store does not answer; try again in a moment."
