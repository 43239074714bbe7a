import pytest

import cuvis_fleet
from tests.unit.client import wire_double


@pytest.fixture
def double():
    return wire_double.WireDouble()


@pytest.fixture
def address(double):
    server, address = wire_double.start(double)
    yield address
    server.stop(grace=None).wait()


@pytest.fixture
def client(address):
    with cuvis_fleet.connect(address, timeout_s=10) as client:
        yield client


@pytest.fixture
def session(client):
    with client.session() as session:
        yield session
