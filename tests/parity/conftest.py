"""Fixtures for both sides of a comparison."""

import json
from pathlib import Path

import pytest

from tests.parity.published import run_published
from tests.parity.trainruns import TRAINRUNS, Scene
from tests.support.scenes.lentils_scene import make_scene, write_annotations, write_npz
from tests.support.sdk_stub import cu3s

SEED = 5
JOBS = Path(__file__).with_name("published_jobs.py")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Measurements with known anomalies, as session file, annotations and ``.npz``."""
    folder = tmp_path_factory.mktemp("scene")
    made = make_scene()
    cu3s.write_cu3s(folder / "scene.cu3s", made.cubes, made.wavelengths_nm)
    write_annotations(made, folder / "scene.json")
    write_npz(made, folder / "scene.npz")
    return Scene(folder, folder / "scene.npz")


@pytest.fixture(scope="session")
def trained_there(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    """One folder for each trainrun with the results of the published trainers."""
    folder = tmp_path_factory.mktemp("published")
    jobs = []
    for name in TRAINRUNS:
        (folder / name).mkdir()
        resolved = scene.resolve(name)
        trainrun = folder / f"{name}.json"
        trainrun.write_text(json.dumps(resolved), encoding="utf-8")
        jobs.append(
            {
                "do": "train",
                "trainrun": trainrun,
                "folder": folder / name,
                "scene": scene.npz,
                "seed": SEED,
                "gradient": bool(resolved["loss_nodes"]),
            }
        )
    run_published(JOBS, jobs, folder)
    return folder
