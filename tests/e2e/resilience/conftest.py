"""Sessions on the fleet whose parts may be killed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from tests.support.killable_fleet import Fleet
from tests.support.scenes.lentils_scene import Scene
from tests.support.wire import Wire, wire


@dataclass(frozen=True)
class Trained:
    """A session that is ready for inference, and what to ask it."""

    session_id: str
    cube: np.ndarray
    wavelengths: np.ndarray


@pytest.fixture(autouse=True)
def _whole_fleet(fleet: Fleet) -> None:
    """Each test starts once the fleet has recovered from the previous one."""
    fleet.wait_serving()


@pytest.fixture
def calls(fleet: Fleet) -> Iterator[Wire]:
    """Bare calls to the fleet."""
    with wire(fleet.stack.address) as client:
        yield client


@pytest.fixture
def trained(calls: Wire, scene: Scene) -> Trained:
    """A session with a trained pipeline."""
    session_id = calls.session()
    apply_trainrun(calls, session_id, [0, 2, 3])
    calls.train(session_id)
    return Trained(session_id, scene.cubes[5:6], scene.wavelengths_nm[None])


def apply_trainrun(calls: Wire, session_id: str, train_ids: list[int]) -> None:
    """Give a session the shipped trainrun on the scene."""
    overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
    trainrun = json.loads(
        calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", overrides)
    )
    trainrun["data"]["train_ids"] = train_ids
    calls.apply(session_id, json.dumps(trainrun).encode())
