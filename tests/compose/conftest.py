"""A fleet of containers, built and started once; runs on demand, because it takes minutes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.engine import engine_fault
from tests.compose.fleet import ComposeFleet
from tests.compose.overrides import served_wheels, write_overrides
from tests.support.scenes.lentils_scene import Scene, make_scene, write_annotations, write_npz
from tests.support.sdk_stub import cu3s
from tests.support.wire import Wire, wire

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip these tests unless they were asked for by their marker, as `make test-compose` does."""
    if "compose" in config.getoption("markexpr"):
        return
    skip = pytest.mark.skip(reason="builds and starts containers: make test-compose")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """What all measurements are taken from."""
    return make_scene()


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    """``data`` and ``outputs`` at one path for clients and services, as on a lab's file server."""
    folder = tmp_path_factory.mktemp("shared")
    data, outputs = folder / "data", folder / "outputs"
    write_npz(scene, data / "scene.npz")
    lentils = data / "Lentils" / "Lentils_000.cu3s"
    write_annotations(scene, lentils.with_suffix(".json"))
    cu3s.write_cu3s(lentils, scene.cubes, scene.wavelengths_nm)
    outputs.mkdir()
    outputs.chmod(0o777)  # services run as a user of their own
    return folder


@pytest.fixture(scope="session")
def fleet(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeFleet]:
    """The fleet with three inference replicas, built from this working tree."""
    fault = engine_fault()
    assert fault is None, fault
    overrides = tmp_path_factory.mktemp("compose") / "overrides.json"
    with served_wheels() as find_links:
        write_overrides(overrides, shared_dir, find_links)
        fleet = ComposeFleet(overrides)
        fleet.build()
    try:
        fleet.scale(3)
        fleet.wait_until_serving()
        yield fleet
    finally:
        fleet.down()


@pytest.fixture
def calls(fleet: ComposeFleet) -> Iterator[Wire]:
    """Bare calls through the gateway."""
    with wire(fleet.address) as client:
        yield client
