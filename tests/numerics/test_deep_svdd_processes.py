"""Processes that train together use the same centre."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from tests.numerics.center_rank import center

REPOSITORY = Path(__file__).resolve().parents[2]
WITHIN_S = 600


def test_the_center_moves_by_the_mean_over_all_processes(tmp_path):
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.numerics.center_rank", str(tmp_path), str(rank), "2"],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for rank in ranks:
            _, said = rank.communicate(timeout=WITHIN_S)
            assert rank.returncode == 0, said
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
    centers = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert torch.equal(*centers)
    np.testing.assert_allclose(centers[0].numpy(), center(0, 1).numpy(), rtol=1e-6)
