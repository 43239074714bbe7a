"""A stack under fire, and a session of somebody else's on it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.fuzz.messages import Requests, Seeds
from tests.support.processes.serving_process import serving_pid
from tests.support.scenes.lentils_scene import Scene
from tests.support.stacks import stack_environment
from tests.support.wire import Wire, inference, wire

METHODS = {method: name for name, methods in METHODS_BY_SERVICE.items() for method in methods}
ANSWERS = frozenset(
    {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
"""How a call of any content may end: neither UNKNOWN, INTERNAL nor DEADLINE_EXCEEDED."""

_DEADLINE_S = 120.0
_TRAINING_S = 5.0
_CACHE_BYTES = 4 * 1024**2
_DATA = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")
_PARTS = ("session", "config", "trainer", "inference")
_PLUGIN = (
    '{"name": "x", "path": "x", "capabilities": [{"class_name": "x.Y"}], '
    '"plugins": {"x": {"path": "x", "provides": ["x.Y"]}}}'
)


@dataclass(frozen=True)
class Target:
    """What is attacked, and who must not notice.

    Attributes:
        stack: what runs.
        channel: to its gateway.
        calls: to its gateway as well.
        victim_id: the session that requests name.
        bystander_id: a session of a client that does nothing wrong.
        scene: what both have trained on.
        requests: what to send.
    """

    stack: BackgroundStack
    channel: grpc.Channel
    calls: Wire
    victim_id: str
    bystander_id: str
    scene: Scene
    requests: Requests

    def answer(self, method: str, raw: bytes) -> grpc.StatusCode:
        """How a request ends; what it has opened is closed again."""
        path = f"/cuvis_ai.v1.CuvisAIService/{method}"
        try:
            if method == "Train":
                return self._training(path, raw)
            reply = self.channel.unary_unary(path)(raw, timeout=_DEADLINE_S)
        except grpc.RpcError as error:
            return error.code()
        if method == "CreateSession":
            opened = pb2.CreateSessionResponse.FromString(reply).session_id
            self.calls.call("CloseSession", session_id=opened)
        return grpc.StatusCode.OK

    def _training(self, path: str, raw: bytes) -> grpc.StatusCode:
        """A training that is under way is a good answer; it is stopped."""
        stream = self.channel.unary_stream(path)(raw, timeout=_TRAINING_S)
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
        """Process of each part that serves; another one means that the first is gone."""
        return {part: serving_pid(self.stack, part) for part in _PARTS}


@contextmanager
def attacked_stack(folder: Path, data_dir: Path, scene: Scene) -> Iterator[Target]:
    """A stack of its own, with two fitted sessions."""
    # What is kept of pipelines stands at its bound after a few examples: it is no growth.
    settings = {
        "INFERENCE": "1",
        "PIPELINE_CACHE_BYTES": str(_CACHE_BYTES),
        "MEMORY_RETURN_S": "2",
    }
    environment = stack_environment(folder, data_dir, settings)
    with (
        background_stack(free_ports(1)[0], folder / "run", environment) as stack,
        wire(stack.address) as calls,
        grpc.insecure_channel(stack.address) as channel,
    ):
        victim_id, bystander_id = calls.session(), calls.session()
        trainrun = calls.resolve(victim_id, "trainrun", "trainrun/rx_statistical", _DATA)
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
        seeds = Seeds(
            session_ids=(victim_id,),
            configs={
                "PipelineConfig": pipeline.decode(),
                "TrainRunConfig": trainrun.decode(),
                "DataConfig": '{"cu3s_file_path": "scene.npz", "train_ids": [0, 1]}',
                "TrainingConfig": '{"max_epochs": 1, "optimizer": {"lr": 0.1}}',
                "PluginManifest": _PLUGIN,
            },
            pipeline=pipeline.decode(),
            weights=saved.read_bytes(),
            inference=pb2.InferenceRequest(**request).SerializeToString(),
        )
        yield Target(stack, channel, calls, victim_id, bystander_id, scene, Requests(seeds))
