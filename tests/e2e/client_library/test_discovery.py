"""What clients ask about a fleet, the same in both styles."""

import asyncio

import numpy as np
import pytest

import cuvis_fleet
from cuvis_fleet import aio
from tests.e2e.client_library.conftest import OVERRIDES

pytestmark = pytest.mark.e2e

CALLS = {
    "health": (),
    "pipelines": (),
    "pipeline": ("rx_statistical",),
    "capabilities": (),
    "nodes": (),
    "schema": ("training",),
    "validate": ("training", {"max_epochs": "many"}),
    "draw": ("nodes: [{name: a, class_name: x.Y}]", "mermaid"),
}


def _sync(address, name, arguments, **connection):
    with cuvis_fleet.connect(address, **connection) as client:
        return getattr(client, name)(*arguments)


def _aio(address, name, arguments, **connection):
    async def asked():
        async with aio.connect(address, **connection) as client:
            return await getattr(client, name)(*arguments)

    return asyncio.run(asked())


@pytest.mark.parametrize("name", CALLS)
def test_both_styles_are_told_the_same(stack, name):
    told = _sync(stack.address, name, CALLS[name])
    assert told
    assert _aio(stack.address, name, CALLS[name]) == told


@pytest.mark.parametrize("ask", [_sync, _aio])
def test_an_unknown_pipeline_is_told_with_the_nearest(stack, ask):
    with pytest.raises(cuvis_fleet.NotFound, match=r"rx_statistics.*rx_statistical\.yaml"):
        ask(stack.address, "pipeline", ["rx_statistics"])


def test_a_large_cube_through_shared_memory_gives_the_same(in_session, scene):
    cube = np.tile(scene.cubes[5], (4, 4, 1))
    assert cube.nbytes > 1024**2
    in_session(lambda steps: _hold_alike(steps, cube, scene))


def _hold_alike(steps, cube, scene):
    steps.call("apply", steps.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES))
    steps.follow("statistical", lambda _: None)
    large = steps.call("infer", cube, scene.wavelengths_nm, ["scores"])["scores"]
    small = steps.call("infer", scene.cubes[5], scene.wavelengths_nm, ["scores"])["scores"]
    np.testing.assert_allclose(large[:, :32, :32], small, rtol=1e-3)


@pytest.mark.parametrize("ask", [_sync, _aio])
def test_a_client_that_speaks_tls_is_told_that_the_server_does_not(stack, ask):
    with pytest.raises(cuvis_fleet.Unavailable, match="does not use TLS; connect without it"):
        ask(stack.address, "pipelines", (), tls=True)
