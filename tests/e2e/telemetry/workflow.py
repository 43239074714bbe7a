"""A workflow through the gateway, by a client that sends no trace context."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.plugin_folder import SCALE
from tests.support.scenes.lentils_scene import Scene
from tests.support.wire import to_tensor

TRAININGS = 2
EPOCHS = 2
_DEADLINE_S = 300.0
"""A training in two processes imports torch twice, on a machine that may be busy."""


@dataclass(frozen=True)
class Called:
    """One call that was answered, and the trace that its reply named."""

    method: str
    trace_id: str


@dataclass
class Workflow:
    """Calls one after another in one session.

    Attributes:
        calls: all of them.
        progress: messages of each training, by its type.
    """

    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub
    session_id: str = ""
    calls: list[Called] = field(default_factory=list)
    progress: dict[int, list[pb.TrainResponse]] = field(default_factory=dict)

    def work(self, scene: Scene, plugin_dir: str) -> None:
        """Everything but the session's end: plugin, both kinds of training, inference, files."""
        self.session_id = self.call("CreateSession").session_id
        manifest = {"name": "mine", "path": plugin_dir, "capabilities": [{"class_name": SCALE}]}
        self.call("LoadPlugin", manifest=pb.PluginManifest(config_bytes=_json(manifest)))
        training = self._apply_trainrun()
        self._train(pb.TRAINER_TYPE_STATISTICAL)
        training["trainer"]["devices"] = 2
        together = pb.TrainingConfig(config_bytes=_json(training))
        self._train(pb.TRAINER_TYPE_GRADIENT, training=together)
        self.call("GetTrainStatus")
        inputs = pb.InputBatch(
            cube=to_tensor(scene.cubes[:1]), wavelengths=to_tensor(scene.wavelengths_nm[None])
        )
        for _ in range(2):
            self.call("Inference", inputs=inputs)
        self.call("SavePipeline", pipeline_path="day.yaml")
        self.call("LoadPipelineWeights", weights_path="day.pt")

    def call(self, method: str, **fields: Any) -> Any:
        """Answer of a unary call."""
        if self.session_id:
            fields["session_id"] = self.session_id
        request = getattr(pb, f"{method}Request")(**fields)
        answer, ended = getattr(self.stub, method).with_call(request, timeout=_DEADLINE_S)
        self._note(method, ended)
        return answer

    def trace_of(self, method: str, index: int = 0) -> str:
        """Trace id of a call, by its number among those of the same method."""
        return [call.trace_id for call in self.calls if call.method == method][index]

    def _apply_trainrun(self) -> dict[str, Any]:
        answer = self.call(
            "ResolveConfig",
            config_type="trainrun",
            path="trainrun/channel_selector",
            overrides=[
                "data.cu3s_file_path=scene.npz",
                "data.annotation_json_path=null",
                "data.train_ids=[0,1,2,3]",
                "data.val_ids=[4,5]",
                "data.test_ids=[6]",
                f"training.trainer.max_epochs={EPOCHS}",
                "training.trainer.callbacks=null",
            ],
        )
        config = pb.TrainRunConfig(config_bytes=answer.config_bytes)
        self.call("SetTrainRunConfig", config=config)
        training: dict[str, Any] = json.loads(answer.config_bytes)["training"]
        return training

    def _train(self, trainer_type: pb.TrainerType.ValueType, **fields: Any) -> None:
        request = pb.TrainRequest(session_id=self.session_id, trainer_type=trainer_type, **fields)
        stream = self.stub.Train(request, timeout=_DEADLINE_S)
        self.progress[trainer_type] = list(stream)
        assert self.progress[trainer_type][-1].status == pb.TRAIN_STATUS_COMPLETE
        self._note("Train", stream)

    def _note(self, method: str, ended: grpc.Call) -> None:
        self.calls.append(Called(method, dict(ended.trailing_metadata())["x-trace-id"]))


@contextmanager
def workflow_at(address: str) -> Iterator[Workflow]:
    """Connect a workflow that has not called anything yet."""
    with connect(address) as channel:
        yield Workflow(cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel))


def pixels_inferred(scene: Scene) -> int:
    """Return the number of pixels that a workflow sends to Inference."""
    return 2 * int(np.prod(scene.cubes[0].shape[:2]))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
