"""Nothing is built for callers that have left, and calls that wait in vain get an error."""

import threading

import pytest
import torch

from fleet_engine.plugins import PluginLoader
from fleet_inference.materialiser import Materialiser
from fleet_platform.errors import Cancelled, DeadlinePassed, InvalidInput
from fleet_platform.testing import MemoryArtifactStore
from fleet_proto.records.v1.records_pb2 import Pipeline
from tests.support.network.waiting_call import WaitingCall

FITTED = Pipeline(config_json=b'{"nodes": []}', config_digest="c", weights_digest="w")


class HangingArtifacts(MemoryArtifactStore):
    """Weights that take until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def get(self, digest: str) -> bytes:
        self.asked.set()
        assert self.let_go.wait(120)
        raise InvalidInput("no weights")


def test_nothing_is_built_for_a_caller_that_has_left() -> None:
    artifacts = HangingArtifacts()
    materialiser, call = (
        Materialiser(artifacts, PluginLoader(artifacts, allowed=False), torch.device("cpu"), 1000),
        WaitingCall(),
    )
    call.has_left = True
    with pytest.raises(Cancelled):
        materialiser.get(FITTED, call)
    assert not artifacts.asked.is_set()


def test_a_deadline_that_passes_while_another_call_builds_is_reported_as_such() -> None:
    class Late(WaitingCall):
        def max_wait_s(self, _limit_s: float) -> float:
            self.left_s = 0.0
            return 0.05

    artifacts = HangingArtifacts()
    materialiser = Materialiser(
        artifacts, PluginLoader(artifacts, allowed=False), torch.device("cpu"), 1000
    )
    ended: list[Exception] = []

    def build() -> None:
        try:
            materialiser.get(FITTED, WaitingCall())
        except InvalidInput as error:
            ended.append(error)

    builder = threading.Thread(target=build)
    builder.start()
    assert artifacts.asked.wait(120)
    with pytest.raises(DeadlinePassed):
        materialiser.get(FITTED, Late())
    artifacts.let_go.set()
    builder.join()
    assert len(ended) == 1
