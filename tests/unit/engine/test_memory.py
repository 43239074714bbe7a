"""A big scene with small results never becomes a float cube."""

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import resource, sys
from tests.unit.engine.pipelines import fitted_rx, batch_of, infer
pipeline = fitted_rx(61)
infer(pipeline, batch_of((1, 64, 64, 61)), "decisions")
batch = batch_of((1, 16, 1000, 61))
batch["cube"] = batch["cube"].repeat(1, 62, 1, 1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
infer(pipeline, batch, "decisions")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kB only on Linux")
def test_decisions_of_a_million_pixels_need_little_memory():
    """992 x 1000 x 61 float32 would take 242 MB."""
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) < 40_000
