"""The published example client of cuvis-ai 0.4.0, as it was published, against our stack."""

import os
import re
import subprocess

import pytest

from tests.e2e.test_published_messages import OUTPUT_KEYS
from tests.peers.environment import peer_environment
from tests.peers.wheels import source
from tests.standins import cu3s

pytestmark = [pytest.mark.e2e, pytest.mark.peers, pytest.mark.timeout(900)]

# The script takes its address as an argument of main(); nothing of it is changed.
DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
import statistical_training_client
statistical_training_client.main(sys.argv[2])
"""


def test_statistical_training_example_runs_unchanged(stack, tmp_path):
    examples = source("cuvis-ai", "0.4.0") / "examples" / "grpc"
    done = subprocess.run(
        [peer_environment("cuvis-ai-0.4.0"), "-c", DRIVER, examples, stack.address],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(cu3s.PYTHONPATH)},
    )

    assert done.returncode == 0, done.stderr
    assert "Resolved trainrun 'rx_statistical' with pipeline '" in done.stdout
    assert "[EXECUTION_STAGE_TRAIN] TRAIN_STATUS_COMPLETE" in done.stdout
    assert "Training finished with status: TRAIN_STATUS_COMPLETE" in done.stdout
    printed = re.search(r"Inference outputs: \[(.*)\]", done.stdout)
    assert printed is not None, done.stdout
    assert set(re.findall(r"'([^']+)'", printed[1])) == OUTPUT_KEYS
    assert done.stdout.rstrip().endswith("Session closed.")
