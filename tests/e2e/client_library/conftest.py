"""A stack whose gateway and replicas these tests may kill."""

import pytest

from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from tests.e2e.client_library.styles import STYLES
from tests.support.stacks import stack_environment

OVERRIDES = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory, data_dir):
    folder = tmp_path_factory.mktemp("client-library")
    environment = stack_environment(folder, data_dir, {"INFERENCE": "2", "TORCH_THREADS": "1"})
    with background_stack(free_ports(1)[0], folder / "run", environment) as running:
        yield running


@pytest.fixture(params=list(STYLES))
def in_session(request, stack):
    """``in_session(work)``: run `work` in a session of the client, in both styles."""
    return lambda work, **connection: STYLES[request.param](stack.address, work, **connection)
