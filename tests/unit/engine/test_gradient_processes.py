"""Two processes that train together (DDP over gloo) have the results of one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fleet_platform.ports import free_ports
from tests.support.scenes.gradient_scene import write_scene

REPOSITORY = Path(__file__).resolve().parents[3]
WITHIN_S = 600


def run_ranks(scene, folder, world_size):
    port = str(free_ports(1)[0])
    ranks = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.unit.engine.gradient_rank",
                str(scene),
                str(folder),
                str(rank),
                str(world_size),
                port,
            ],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world_size)
    ]
    try:
        for rank in ranks:
            _, errors = rank.communicate(timeout=WITHIN_S)
            assert rank.returncode == 0, errors
    finally:
        for rank in ranks:
            rank.kill()
    return torch.load(folder / f"{world_size}.pt", weights_only=True)


def test_two_processes_train_as_one(tmp_path):
    scene = write_scene(tmp_path / "scene.npz")
    one, two = run_ranks(scene, tmp_path, 1), run_ranks(scene, tmp_path, 2)
    for alone, together in zip(one["losses"], two["losses"], strict=True):
        assert together["val_loss"] == pytest.approx(alone["val_loss"], rel=1e-4)
    for alone, together in zip(one["metrics"], two["metrics"], strict=True):
        assert together["metrics_anomaly/iou"] == pytest.approx(alone["metrics_anomaly/iou"])
    for key, value in one["state"].items():
        torch.testing.assert_close(two["state"][key], value, rtol=1e-4, atol=1e-6)
