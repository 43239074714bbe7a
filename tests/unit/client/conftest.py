import asyncio
import inspect

import pytest

import cuvis_fleet
from cuvis_fleet import aio
from tests.support import fake_service

QUICK = cuvis_fleet.RetryPolicy(first_s=0.01, most_s=0.02, within_s=0.2)


@pytest.fixture
def double():
    return fake_service.FakeService()


@pytest.fixture
def address(double):
    with fake_service.serving(double) as address:
        yield address


@pytest.fixture
def client(address):
    with cuvis_fleet.connect(address, timeout_s=10, retries=QUICK) as client:
        yield client


@pytest.fixture
def session(client):
    with client.session() as session:
        yield session


@pytest.fixture(params=["sync", "aio"])
def using(request):
    """``using(address, work, **options)``: the result of `work` with a client of either style."""

    def synchronous(address, work, **options):
        with cuvis_fleet.connect(address, **options) as client:
            return work(client)

    async def asynchronous(address, work, **options):
        async with aio.connect(address, **options) as client:
            done = work(client)
            return await done if inspect.isawaitable(done) else done

    if request.param == "sync":
        return synchronous
    return lambda address, work, **options: asyncio.run(asynchronous(address, work, **options))
