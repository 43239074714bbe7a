"""The config and session services run where torch is not installed."""

import json
import os
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from fleet_local.readiness import is_serving
from fleet_platform.ports import free_ports
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer
from tests.support.published.environment import published_environment
from tests.support.stacks import stack_environment
from tests.support.wire import wire

pytestmark = [pytest.mark.e2e, pytest.mark.published]


@contextmanager
def _service(python, name, environment, log):
    port = free_ports(1)[0]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-W", "error", "-m", f"fleet_{name}"],
            env={**environment, "SERVICE_PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"127.0.0.1:{port}"
        wait_until(
            lambda: process.poll() is not None or is_serving(address, name), f"{name} serves"
        )
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.terminate()
        assert process.wait(timeout=120) == 0, log.read_text()


def test_config_and_session_run_where_torch_is_not_installed(tmp_path, data_dir):
    python = published_environment("no-torch")
    tried = subprocess.run(
        [python, "-c", "import torch"], check=False, capture_output=True, text=True
    )
    assert "No module named 'torch'" in tried.stderr

    with ExitStack() as running:
        redis = running.enter_context(RedisServer(tmp_path / "redis"))
        environment = {
            "PATH": os.environ["PATH"],
            **stack_environment(tmp_path, data_dir, {"REDIS_URL": redis.url}),
            "ARTIFACT_DIR": str(tmp_path / "artifacts"),
        }
        session, config = (
            running.enter_context(
                wire(
                    running.enter_context(
                        _service(python, name, environment, tmp_path / f"{name}.log")
                    )
                )
            )
            for name in ("session", "config")
        )
        session_id = session.session()
        resolved = json.loads(config.resolve(session_id, "trainrun", "trainrun/rx_statistical"))
        assert resolved["name"] == "rx_statistical"
        assert session.call("CloseSession", session_id=session_id).success
