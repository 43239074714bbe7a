"""A config cannot use up the memory of the host."""

import subprocess
import sys

import pytest
import torch

from fleet_engine import build_pipeline
from fleet_engine.graph.allocation_limit import AllocationLimit
from fleet_platform.errors import Exhausted
from tests.support.scenes.pipelines import RX, config, node

PROJECTION = "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection"


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(2, 128),
        lambda: torch.empty(256, dtype=torch.float32),
        lambda: torch.randn(16, 16),
        lambda: torch.eye(16),
        lambda: torch.zeros(128, dtype=torch.float64),
        lambda: torch.nn.Linear(15, 16),
        lambda: [torch.ones(64) for _ in range(4)],
    ],
)
def test_the_tensors_of_a_block_are_counted_to_the_byte(make):
    with AllocationLimit(1024):
        make()
    with pytest.raises(Exhausted, match="1024 bytes or more; at most 1023"), AllocationLimit(1023):
        make()


def test_copies_of_counted_tensors_are_not_counted():
    with AllocationLimit(1024):
        values = torch.zeros(256)
        for _ in range(8):
            values.add_(1).reshape(16, 16).clone()


@pytest.mark.parametrize(
    "nodes",
    [
        [node("wide", PROJECTION, in_channels=4, rep_dim=65536, hidden=65536)],
        [node(f"rx{number}", RX, num_channels=16384) for number in range(6)],
    ],
)
def test_the_pipeline_has_a_limit_besides_those_of_hparams(nodes):
    with pytest.raises(Exhausted, match="at most 4294967296"):
        build_pipeline(config(nodes, []))


def test_the_first_pipeline_of_a_process_does_not_import_the_compiler():
    program = (
        "import sys\n"
        "from fleet_engine import build_pipeline\n"
        "from tests.support.scenes.pipelines import rx_config\n"
        "before = {*sys.modules}\n"
        "build_pipeline(rx_config())\n"
        "print(*{name.partition('.')[0] for name in {*sys.modules} - before})"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert b"sympy" not in told.stdout
