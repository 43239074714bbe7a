"""The client library against the stack whose parts tests may kill."""

import pytest

from tests.e2e.client_library.styles import STYLES

OVERRIDES = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]


@pytest.fixture
def stack(fleet):
    """The stack whose gateway and replicas may be killed, once it serves."""
    fleet.wait_serving()
    return fleet.stack


@pytest.fixture(params=list(STYLES))
def in_session(request, stack):
    """``in_session(work)``: run `work` in a session of the client, in both styles."""
    return lambda work, **connection: STYLES[request.param](stack.address, work, **connection)
