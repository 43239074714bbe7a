"""Memory use does not grow with the scene or the file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

_PROGRAM = """
import resource, sys
from tests.support.scenes.pipelines import fitted_rx, batch_of, infer
pipeline = fitted_rx(61)
infer(pipeline, batch_of((1, 64, 64, 61)), "decisions")
batch = batch_of((1, 16, 1000, 61))
batch["cube"] = batch["cube"].repeat(1, 62, 1, 1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
infer(pipeline, batch, "decisions")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""

_FITTING = """
import resource, sys
import torch
from pathlib import Path
from fleet_engine import build_pipeline
from fleet_engine.data import batches, open_measurements
from fleet_engine.training import fit_statistics
from fleet_platform.files import PathPolicy
from fleet_schemas import DataConfig
from tests.support.scenes.pipelines import DATA, RX, config, node
torch.set_num_threads(1)
path = Path(sys.argv[1])
policy = PathPolicy(
    working_dir=path.parent, configs_dir=path.parent, data_dir=path.parent, output_dir=path.parent
)
measurements = open_measurements(
    DataConfig(cu3s_file_path=path.name), policy, read_ahead=int(sys.argv[2])
)
nodes = [node("data", DATA, normal_class_ids=[0]), node("rx", RX, num_channels=61)]

def fit(count):
    ids = range(count)
    fit_statistics(
        build_pipeline(config(nodes, [("data.cube", "rx.data")])),
        lambda: batches(measurements, ids, 1),
        on_event=lambda _: None,
        should_stop=lambda: False,
    )

fit(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit(len(measurements))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kB only on Linux")
def test_decisions_of_a_million_pixels_need_little_memory():
    """992 x 1000 x 61 float32 would take 242 MB."""
    assert int(_printed_by(_PROGRAM)) < 40_000


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kB only on Linux")
@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("read_ahead", [0, 3])
def test_fitting_keeps_only_a_few_measurements_of_a_large_file(tmp_path, kind, read_ahead):
    """80 measurements of 2 MB; two in use and three in advance are 10 MB."""
    path = tmp_path / f"scene.{kind}"
    cubes = np.random.default_rng(0).integers(0, 4096, (80, 128, 128, 61), np.uint16)
    if kind == "npy":
        np.save(path, cubes)
    else:
        np.savez(path, cube=cubes)
    assert path.stat().st_size > 150 << 20
    assert int(_printed_by(_FITTING, str(path), str(read_ahead))) < 50_000


def _printed_by(program: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout
