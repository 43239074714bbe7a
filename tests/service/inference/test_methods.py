"""The service implements every method that the gateway routes to it."""

import grpc
import pytest

from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME
from tests.service.inference.conftest import Served


@pytest.mark.parametrize("method", sorted(METHODS_BY_SERVICE["inference"]))
def test_it_is_answered(served: Served, method: str) -> None:
    """An empty request names no session, which every method tells."""
    call = served.channel.unary_unary(f"/{SERVICE_NAME}/{method}")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=120)
    expected = {
        "LoadPipelineWeights": grpc.StatusCode.INVALID_ARGUMENT,
    }.get(method, grpc.StatusCode.NOT_FOUND)
    assert caught.value.code() is expected, caught.value.details()
