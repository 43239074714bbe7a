"""The trainer refuses to start with a device that its machine does not have."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("device", ["cuda:4096", "no-such-device"])
def test_an_impossible_device_is_refused_at_the_start(settings, device):
    environment = {
        "DEVICE": device,
        "REDIS_URL": settings.redis_url,
        "ARTIFACT_DIR": str(settings.artifact_dir),
        "SERVICE_PORT": "0",
    }
    process = subprocess.run(
        [sys.executable, "-m", "fleet_trainer"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert process.returncode == 1
    assert f"DEVICE={device}: this machine has no such device." in process.stderr
    assert "Traceback" not in process.stderr
