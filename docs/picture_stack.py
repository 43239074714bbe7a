"""A stack for taking pictures, with the tests' scene as ``scene.npz``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from tests.support.scenes.lentils_scene import make_scene, write_npz
from tests.support.stacks import stack_environment


@contextmanager
def picture_stack() -> Iterator[tuple[str, Path]]:
    """Run a stack for the block; yield its address and a temporary folder."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_npz(make_scene(), folder / "data" / "scene.npz")
        settings = stack_environment(folder, folder / "data", {})
        with background_stack(free_ports(1)[0], folder / "run", settings) as stack:
            yield stack.address, folder
