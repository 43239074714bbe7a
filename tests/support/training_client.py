"""A client of the trainer with its own session."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence

import grpc

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from fleet_proto.records.v1.records_pb2 import RunRecord, SessionRecord
from fleet_trainer.settings import TrainerSettings
from tests.support.scenes.gradient_scene import TEST, TRAIN, VAL, pipeline_config, training
from tests.support.scenes.rx_scene import trainrun

CALL_WITHIN_S = 300.0


class TrainingClient:
    def __init__(self, stub: CuvisAIServiceStub, settings: TrainerSettings) -> None:
        self.stub = stub
        self.sessions = open_session_store(settings)
        self.runs = open_run_store(settings)
        self.artifacts = open_artifact_store(settings)
        self.session_id = str(uuid.uuid4())
        self.sessions.create(SessionRecord(format_version=1, session_id=self.session_id))

    @property
    def session(self) -> SessionRecord:
        return self.sessions.read(self.session_id)

    @property
    def run(self) -> RunRecord:
        return self.runs.read(self.session.run_id)

    def apply(self, data_path: str = "scene.npz", **changes: object) -> None:
        config = pb.TrainRunConfig(config_bytes=trainrun(data_path, **changes))
        request = pb.SetTrainRunConfigRequest(session_id=self.session_id, config=config)
        response = self.stub.SetTrainRunConfig(request, timeout=CALL_WITHIN_S)
        assert response.success

    def train(self, within_s: float = CALL_WITHIN_S, **data: object) -> grpc.Call:
        request = pb.TrainRequest(
            session_id=self.session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL
        )
        if data:
            request.data.config_bytes = json.dumps(data).encode()
        return self.stub.Train(request, timeout=within_s)

    def apply_gradient(
        self,
        *,
        lists: dict[str, object] | None = None,
        frozen_nodes: Sequence[str] = (),
        **settings: object,
    ) -> None:
        """A trainrun on `labelled.npz`, with `settings` of training."""
        data = {"cu3s_file_path": "labelled.npz", "batch_size": 2}
        data |= {"train_ids": TRAIN, "val_ids": VAL, "test_ids": TEST}
        changes = {
            "loss_nodes": ["bce"],
            "metric_nodes": ["metrics_anomaly"],
            "unfreeze_nodes": ["RXGlobal", "ScoreToLogit"],
            **(lists or {}),
        }
        self.apply(
            pipeline=pipeline_config().to_dict() | {"frozen_nodes": list(frozen_nodes)},
            data=data,
            training=training(**settings).to_dict(),
            **changes,
        )

    def train_gradient(self) -> grpc.Call:
        return self.train_as(pb.TRAINER_TYPE_GRADIENT)

    def train_as(self, trainer_type: pb.TrainerType.ValueType) -> grpc.Call:
        request = pb.TrainRequest(session_id=self.session_id, trainer_type=trainer_type)
        return self.stub.Train(request, timeout=CALL_WITHIN_S)

    def stop(self) -> pb.StopTrainResponse:
        request = pb.StopTrainRequest(session_id=self.session_id)
        return self.stub.StopTrain(request, timeout=CALL_WITHIN_S)

    def train_long(self, passes: int = 10, within_s: float = CALL_WITHIN_S) -> grpc.Call:
        """A training that lasts for at least 0.2 s a pass."""
        return self.train(within_s, cu3s_file_path="long.npz", train_ids=list(range(80)) * passes)

    def status(self) -> pb.TrainResponse:
        request = pb.GetTrainStatusRequest(session_id=self.session_id)
        return self.stub.GetTrainStatus(request, timeout=CALL_WITHIN_S).latest_progress


def timed(stream: grpc.Call) -> Iterator[tuple[float, pb.TrainResponse]]:
    """Each message and how many milliseconds after the call it came."""
    started_s = time.perf_counter()
    for message in stream:
        yield (time.perf_counter() - started_s) * 1000, message


def read(stream: grpc.Call) -> tuple[list[pb.TrainResponse], grpc.RpcError | None]:
    """All messages and the error that ended the stream, if one did."""
    messages = []
    try:
        for message in stream:
            messages.append(message)  # noqa: PERF402 - what came before the error counts
    except grpc.RpcError as error:
        return messages, error
    return messages, None


def read_until(stream: grpc.Call, text: str) -> list[pb.TrainResponse]:
    """The messages up to the first that contains `text`."""
    messages = []
    for message in stream:
        messages.append(message)
        if text in message.message:
            return messages
    raise AssertionError(f"no message with {text!r} in {[each.message for each in messages]}")
