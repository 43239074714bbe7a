import pytest

import cuvis_fleet
from tests.unit.client import wire_double

QUICK = cuvis_fleet.RetryPolicy(first_s=0.01, most_s=0.02, within_s=0.2)


@pytest.fixture
def double():
    return wire_double.WireDouble()


@pytest.fixture
def address(double):
    with wire_double.serving(double) as address:
        yield address


@pytest.fixture
def client(address):
    with cuvis_fleet.connect(address, timeout_s=10, retries=QUICK) as client:
        yield client


@pytest.fixture
def session(client):
    with client.session() as session:
        yield session
