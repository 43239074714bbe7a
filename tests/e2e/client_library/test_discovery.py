"""Discovery methods return the same in both styles."""

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
    async def call():
        async with aio.connect(address, **connection) as client:
            return await getattr(client, name)(*arguments)

    return asyncio.run(call())


@pytest.mark.parametrize("name", CALLS)
def test_both_styles_return_the_same(stack, name):
    result = _sync(stack.address, name, CALLS[name])
    assert result
    assert _aio(stack.address, name, CALLS[name]) == result


@pytest.mark.parametrize("call", [_sync, _aio])
def test_the_error_for_an_unknown_pipeline_lists_the_closest_names(stack, call):
    with pytest.raises(cuvis_fleet.NotFound, match=r"rx_statistics.*rx_statistical\.yaml"):
        call(stack.address, "pipeline", ["rx_statistics"])


def test_a_large_cube_through_shared_memory_has_the_same_result(in_session, scene):
    cube = np.tile(scene.cubes[5], (4, 4, 1))
    assert cube.nbytes > 1024**2
    in_session(lambda session: _compare(session, cube, scene))


def _compare(session, cube, scene):
    session.call("apply", session.call("resolve", "trainrun", "trainrun/rx_statistical", OVERRIDES))
    session.follow("statistical", lambda _: None)
    large = session.call("infer", cube, scene.wavelengths_nm, ["scores"])["scores"]
    small = session.call("infer", scene.cubes[5], scene.wavelengths_nm, ["scores"])["scores"]
    np.testing.assert_allclose(large[:, :32, :32], small, rtol=1e-3)


@pytest.mark.parametrize("call", [_sync, _aio])
def test_a_tls_client_is_informed_that_the_server_does_not_use_tls(stack, call):
    with pytest.raises(cuvis_fleet.Unavailable, match="does not use TLS; connect without it"):
        call(stack.address, "pipelines", (), tls=True)
