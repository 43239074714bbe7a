"""Whatever a request holds, the answer is one of the wire's and the next caller is served.

A few examples of each method run by default. Ten thousand, from a seed that can be repeated:

    FUZZ_EXAMPLES=10000 python -m pytest tests/e2e/fuzz --hypothesis-seed=1

A failure prints the smallest request that shows it, and is tried first the next time.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fleet_local.background import BackgroundStack, background_stack
from fleet_local.ports import free_ports
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.conftest import stack_environment
from tests.e2e.fuzz.messages import Requests, Seeds
from tests.e2e.scene import Scene
from tests.e2e.wire import Wire, inference, wire

pytestmark = pytest.mark.e2e

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
DEADLINE_S = 20.0
TRAINING_S = 5.0
DATA = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")
ANSWERS = frozenset(
    {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
METHODS = {method: name for name, methods in METHODS_BY_SERVICE.items() for method in methods}
PARTS = ("session", "config", "trainer", "inference")


@dataclass(frozen=True)
class Target:
    """A stack under fire, and a session of somebody else's on it."""

    stack: BackgroundStack
    channel: grpc.Channel
    calls: Wire
    victim_id: str
    bystander_id: str
    scene: Scene
    requests: Requests

    def answer(self, method: str, raw: bytes) -> grpc.StatusCode:
        """How a request ends."""
        path = f"/cuvis_ai.v1.CuvisAIService/{method}"
        try:
            if method == "Train":
                return self._training(path, raw)
            self.channel.unary_unary(path)(raw, timeout=DEADLINE_S)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def _training(self, path: str, raw: bytes) -> grpc.StatusCode:
        """A training that is under way is a good answer; it is stopped."""
        stream = self.channel.unary_stream(path)(raw, timeout=TRAINING_S)
        try:
            for _ in stream:
                pass
        except grpc.RpcError as error:
            stopped = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
            return grpc.StatusCode.OK if error.code() in stopped else error.code()
        finally:
            with suppress(grpc.RpcError):
                self.calls.call("StopTrain", session_id=self.victim_id)
        return grpc.StatusCode.OK

    def serve_the_bystander(self, service: str) -> None:
        """Each service still answers who does nothing wrong."""
        match service:
            case "session":
                self.calls.call("SetSessionSearchPaths", session_id=self.bystander_id)
            case "config":
                self.calls.call("GetTrainingCapabilities")
            case "trainer":
                self.calls.call("GetTrainStatus", session_id=self.bystander_id)
            case "inference":
                cube = self.scene.cubes[:1, :4, :4]
                self.calls.infer(self.bystander_id, cube, self.scene.wavelengths_nm[None])

    def process_ids(self) -> dict[str, int]:
        """Process of each part; another one means that the first is gone."""
        return {part: self.stack.part(part)["pid"] for part in PARTS}


@pytest.fixture(scope="module")
def target(tmp_path_factory, data_dir: Path, scene: Scene) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    environment = stack_environment(folder, data_dir, {"INFERENCE": "1"})
    with (
        background_stack(free_ports(1)[0], folder / "run", environment) as stack,
        wire(stack.address) as calls,
        grpc.insecure_channel(stack.address) as channel,
    ):
        victim_id, bystander_id = calls.session(), calls.session()
        trainrun = calls.resolve(victim_id, "trainrun", "trainrun/rx_statistical", DATA)
        pipeline = calls.resolve(victim_id, "pipeline", "pipeline/rx_statistical")
        for session_id in (victim_id, bystander_id):
            calls.apply(session_id, trainrun)
            calls.train(session_id)
        calls.call(
            "SaveTrainRun",
            session_id=victim_id,
            trainrun_path="fuzz/saved.yaml",
            save_weights=True,
        )
        saved = next((folder / "outputs" / "fuzz").glob("*.pt"))
        request = inference("", scene.cubes[:1, :4, :4], scene.wavelengths_nm[None])
        yield Target(
            stack,
            channel,
            calls,
            victim_id,
            bystander_id,
            scene,
            Requests(
                Seeds(
                    session_ids=(victim_id,),
                    configs={
                        "PipelineConfig": pipeline.decode(),
                        "TrainRunConfig": trainrun.decode(),
                        "DataConfig": '{"cu3s_file_path": "scene.npz", "train_ids": [0, 1]}',
                        "TrainingConfig": '{"max_epochs": 1, "optimizer": {"lr": 0.1}}',
                        "PluginManifest": '{"name": "x", "path": "x", "capabilities": '
                        '[{"class_name": "x.Y"}], "plugins": {"x": {"path": "x", "provides": '
                        '["x.Y"]}}}',
                    },
                    pipeline=pipeline.decode(),
                    weights=saved.read_bytes(),
                    inference=pb2.InferenceRequest(**request).SerializeToString(),
                )
            ),
        )


@pytest.mark.timeout(120 + EXAMPLES)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_requests(target: Target, method: str) -> None:
    request_kind = getattr(pb2, f"{method}Request")
    before = target.process_ids()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )
    @given(target.requests.of(request_kind.DESCRIPTOR))
    def attack(request) -> None:
        if method == "CloseSession" and request.session_id == target.victim_id:
            request.session_id = target.calls.session()
        code = target.answer(method, request.SerializeToString())
        assert code in ANSWERS, request
        target.serve_the_bystander(METHODS[method])

    attack()
    assert target.process_ids() == before


@pytest.mark.timeout(120 + EXAMPLES)
@pytest.mark.parametrize("method", ["Inference", "LoadPipeline", "ResolveConfig", "Train"])
def test_bytes_that_are_no_message(target: Target, method: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=64))
    def attack(raw: bytes) -> None:
        assert target.answer(method, raw) in ANSWERS
        target.serve_the_bystander(METHODS[method])

    attack()
