"""A trainer whose machine lacks the device of its settings does not start."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(300)


def _run(settings, **environment):
    """Run a trainer until it exits."""
    stores = {"REDIS_URL": settings.redis_url, "ARTIFACT_DIR": str(settings.artifact_dir)}
    return subprocess.run(
        [sys.executable, "-m", "fleet_trainer"],
        env=os.environ | {"SERVICE_PORT": "0", "DEVICE": "cpu"} | stores | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("device", ["cuda:4096", "no-such-device"])
def test_an_impossible_device_is_refused_at_the_start(settings, device):
    process = _run(settings, DEVICE=device)

    assert process.returncode == 1
    assert f"DEVICE={device}: this machine has no such device." in process.stderr
    assert "Traceback" not in process.stderr
