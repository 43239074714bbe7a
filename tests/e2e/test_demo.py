"""The demo against a running stack: a synthetic scene, and a file of the user's own."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from fleet_local.background import BackgroundStack
from tests.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

AUC = re.compile(r"AUC (served|float64 RX)\s+([\d.]+)")


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A .mat scene without wavelengths, as anomaly detection papers pass them round."""
    rng = np.random.default_rng(11)
    cube = rng.normal(2000, 60, (40, 50, 24)) + rng.normal(0, 300, (40, 50, 1))
    truth = np.zeros((40, 50), np.uint8)
    truth[10:13, 20:24] = 1
    cube[truth == 1] += 400 * np.sin(np.arange(24))
    path = tmp_path / "own.mat"
    savemat(path, {"data": cube.clip(0, 65535).astype(np.uint16), "map": truth})
    return path


@pytest.mark.parametrize("own", [False, True], ids=["synthetic", "own-file"])
def test_the_demo_trains_infers_and_draws(
    stack: BackgroundStack, data_dir: Path, output_dir: Path, own_file: Path, own: bool
) -> None:
    name = own_file.stem if own else "synthetic"
    command = [sys.executable, "-m", "cuvis_fleet.demo", "--address", stack.address]
    command += ["--data-dir", str(data_dir), "--output-dir", str(output_dir)]
    if own:
        command += ["--data", str(own_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    auc = {who: float(value) for who, value in AUC.findall(done.stdout)}
    assert abs(auc["served"] - auc["float64 RX"]) <= 0.002
    assert auc["served"] > 0.9
    figure = output_dir / "demo" / f"{name}.png"
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert figure.stat().st_size > 50_000
    assert (output_dir / "demo" / f"{name}.yaml").exists()
    assert (output_dir / "demo" / f"{name}.pt").exists()
    assert re.search(r"trace id\s+[0-9a-f]{32}", done.stdout)


def test_the_readme_example_runs_on_what_the_demo_saved(
    stack: BackgroundStack, data_dir: Path, output_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "cuvis_fleet.demo", "--address", stack.address]
    command += ["--data-dir", str(data_dir), "--output-dir", str(output_dir)]
    subprocess.run(command, capture_output=True, timeout=600, check=True)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```python\n")[2].partition("```")[0]
    assert "localhost:50051" in example
    rng = np.random.default_rng(3)
    given = {
        "cube": rng.integers(100, 4000, (20, 30, 61), dtype=np.uint16),
        "wavelengths_nm": np.linspace(430, 910, 61),
    }
    exec(example.replace("localhost:50051", stack.address), given)
    printed = capsys.readouterr().out
    assert re.fullmatch(r"\(1, 20, 30, 1\) \d+ [0-9a-f]{32}\n", printed), printed
