"""Stacks as a user starts them, with data to work on."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from tests.support.killable_fleet import Fleet, killable_fleet
from tests.support.published.workflow import RELEASES, PublishedWorkflow, Release
from tests.support.scenes.lentils_scene import Scene, make_scene, write_annotations, write_npz
from tests.support.sdk_stub import cu3s
from tests.support.stacks import stack_environment
from tests.support.wire import Wire, wire

StartStack = Callable[..., AbstractContextManager[BackgroundStack]]


@pytest.fixture(scope="session")
def scene() -> Scene:
    """What all measurements of these tests are taken from."""
    return make_scene()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    """The scene as the published example expects it, as ``.npz``, and one file that is broken."""
    folder = tmp_path_factory.mktemp("data")
    write_npz(scene, folder / "scene.npz")
    lentils = folder / "Lentils" / "Lentils_000.cu3s"
    write_annotations(scene, lentils.with_suffix(".json"))
    cu3s.write_cu3s(lentils, scene.cubes, scene.wavelengths_nm)
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 and then nothing that belongs in a zip file")
    return folder


@pytest.fixture(scope="session")
def stack_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared stack writes."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def output_dir(stack_dir: Path) -> Path:
    """Where the shared stack saves what clients name by a relative path."""
    return stack_dir / "outputs"


@pytest.fixture(scope="session")
def stack(stack_dir: Path, data_dir: Path) -> Iterator[BackgroundStack]:
    """The stack that most tests share: two inference replicas, and a stub of the SDK."""
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    python_path = os.pathsep.join(filter(None, (str(cu3s.PYTHONPATH), *inherited)))
    environment = stack_environment(
        stack_dir, data_dir, {"INFERENCE": "2", "PYTHONPATH": python_path}
    )
    with background_stack(free_ports(1)[0], stack_dir / "run", environment) as running:
        yield running


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Fleet]:
    """The stack whose parts tests may kill; they wait until it serves again."""
    with killable_fleet(tmp_path_factory.mktemp("fleet"), data_dir) as running:
        yield running


@pytest.fixture
def start_stack(tmp_path: Path, data_dir: Path) -> StartStack:
    """Starts another stack, without the stub; keywords are environment variables."""

    def start(**settings: str) -> AbstractContextManager[BackgroundStack]:
        environment = stack_environment(tmp_path, data_dir, settings)
        return background_stack(free_ports(1)[0], tmp_path / "run", environment)

    return start


@pytest.fixture
def calls(stack: BackgroundStack) -> Iterator[Wire]:
    """Bare calls to the shared stack."""
    with wire(stack.address) as client:
        yield client


@pytest.fixture(scope="session", params=list(RELEASES))
def release(request: pytest.FixtureRequest) -> Release:
    """One published release after the other."""
    return RELEASES[request.param]


@pytest.fixture(scope="session")
def workflow(
    release: Release,
    stack: BackgroundStack,
    data_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> PublishedWorkflow:
    """Run the release's client through its workflow."""
    folder = tmp_path_factory.mktemp(f"workflow-{release.version}")
    return PublishedWorkflow.of(release, stack.address, data_dir, folder)
