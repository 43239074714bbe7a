"""A user's day with a published message package and nothing else of this project.

Runs in an environment of its own: ``python day.py ADDRESS CUBES.npz RESULT_FOLDER``. Writes the
inference outputs as ``.npz`` and everything else that the service said as ``facts.json``.
"""

import json
import sys
from pathlib import Path

import grpc
import numpy as np
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2_grpc

LIMIT = 300 * 1024 * 1024
DEADLINE_S = 60.0
DTYPES = {
    pb2.D_TYPE_FLOAT32: "<f4",
    pb2.D_TYPE_INT32: "<i4",
    pb2.D_TYPE_BOOL: "?",
    pb2.D_TYPE_UINT16: "<u2",
}
OVERRIDES = ["data.batch_size=4", "training.seed=123"]


class Day:
    """One client on one channel, with what it was told so far."""

    def __init__(self, address, cubes, wavelengths, folder):
        limits = [
            ("grpc.max_send_message_length", LIMIT),
            ("grpc.max_receive_message_length", LIMIT),
        ]
        self.stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(
            grpc.insecure_channel(address, options=limits)
        )
        self.cubes, self.wavelengths, self.folder = cubes, wavelengths, folder
        self.facts = {}

    def call(self, method, **fields):
        request = getattr(pb2, f"{method}Request")(**fields)
        return getattr(self.stub, method)(request, timeout=DEADLINE_S)

    def open_session(self):
        session_id = self.call("CreateSession").session_id
        answer = self.call(
            "SetSessionSearchPaths",
            session_id=session_id,
            search_paths=["/on/another/host/configs", "/on/another/host/configs/trainrun"],
            append=False,
        )
        self.facts["rejected_paths"] = list(answer.rejected_paths)
        return session_id

    def train(self, session_id):
        resolved = self.call(
            "ResolveConfig",
            session_id=session_id,
            config_type="trainrun",
            path="trainrun/rx_statistical",
            overrides=OVERRIDES,
        ).config_bytes
        self.facts["trainrun"] = json.loads(resolved)
        self.call(
            "SetTrainRunConfig",
            session_id=session_id,
            config=pb2.TrainRunConfig(config_bytes=resolved),
        )
        request = pb2.TrainRequest(session_id=session_id, trainer_type=pb2.TRAINER_TYPE_STATISTICAL)
        self.facts["progress"] = [
            {
                "status": pb2.TrainStatus.Name(message.status),
                "stage": pb2.ExecutionStage.Name(message.context.stage),
                "message": message.message,
                **event_of(message),
            }
            for message in self.stub.Train(request, timeout=DEADLINE_S)
        ]
        latest = self.call("GetTrainStatus", session_id=session_id).latest_progress
        self.facts["status"] = pb2.TrainStatus.Name(latest.status)

    def infer(self, session_id, name, specs=()):
        cube = self.cubes[1:2]
        answer = self.call(
            "Inference",
            session_id=session_id,
            inputs=pb2.InputBatch(cube=to_tensor(cube), wavelengths=to_tensor(self.wavelengths)),
            output_specs=specs,
        )
        arrays = {key: to_array(tensor) for key, tensor in answer.outputs.items()}
        np.savez(self.folder / f"{name}.npz", **arrays)

    def save(self, session_id):
        answer = self.call(
            "SavePipeline",
            session_id=session_id,
            pipeline_path=f"day_{self.folder.name}.yaml",
            metadata=pb2.PipelineMetadata(name="day", description="a day's work"),
        )
        self.facts["saved"] = [answer.pipeline_path, answer.weights_path]
        return answer

    def reload(self, session_id, saved):
        resolved = self.call(
            "ResolveConfig",
            session_id=session_id,
            config_type="pipeline",
            path=saved.pipeline_path,
        ).config_bytes
        answer = self.call(
            "LoadPipeline",
            session_id=session_id,
            pipeline=pb2.PipelineConfig(config_bytes=resolved),
        )
        self.facts["loaded_name"] = answer.metadata.name
        self.call(
            "LoadPipelineWeights",
            session_id=session_id,
            weights_path=saved.weights_path,
            strict=True,
        )

    def close(self, *session_ids):
        self.facts["closed"] = [
            self.call("CloseSession", session_id=session_id).success for session_id in session_ids
        ]
        try:
            self.infer(session_ids[0], "never")
        except grpc.RpcError as error:
            self.facts["after_close"] = [error.code().name, error.details()]


def event_of(message):
    """The structured form, where the release has it."""
    if not hasattr(message, "event") or not message.HasField("event"):
        return {}
    event = message.event
    return {
        "hook": pb2.TrainHook.Name(event.hook),
        "node": event.node,
        "done": event.progress.done,
        "total": event.progress.total,
    }


def to_tensor(array):
    """The message of an array."""
    (number,) = (number for number, dtype in DTYPES.items() if np.dtype(dtype) == array.dtype)
    return pb2.Tensor(shape=array.shape, dtype=number, raw_data=array.tobytes())


def to_array(tensor):
    """The array of a message."""
    return np.frombuffer(tensor.raw_data, DTYPES[tensor.dtype]).reshape(tuple(tensor.shape))


def main(address, cubes_path, folder):
    """Work through the day; `folder` exists."""
    with np.load(cubes_path) as data:
        day = Day(address, data["cube"], data["wavelengths"][None, :], folder)
    first = day.open_session()
    day.train(first)
    day.infer(first, "all")
    day.infer(first, "decisions", specs=["decisions"])
    saved = day.save(first)
    second = day.open_session()
    day.reload(second, saved)
    day.infer(second, "reloaded")
    day.close(first, second)
    (folder / "facts.json").write_text(json.dumps(day.facts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
