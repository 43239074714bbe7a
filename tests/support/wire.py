"""Plain calls of the published service, with this project's messages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
import numpy as np
import pytest

from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc

CALL_DEADLINE_S = 300.0

DTYPES = {
    pb2.D_TYPE_FLOAT32: np.dtype("<f4"),
    pb2.D_TYPE_FLOAT64: np.dtype("<f8"),
    pb2.D_TYPE_INT32: np.dtype("<i4"),
    pb2.D_TYPE_INT64: np.dtype("<i8"),
    pb2.D_TYPE_UINT8: np.dtype("u1"),
    pb2.D_TYPE_BOOL: np.dtype("?"),
    pb2.D_TYPE_FLOAT16: np.dtype("<f2"),
    pb2.D_TYPE_UINT16: np.dtype("<u2"),
}
_ENUM_OF = {dtype: number for number, dtype in DTYPES.items()}


def to_tensor(array: np.ndarray) -> pb2.Tensor:
    """The message of an array."""
    return pb2.Tensor(shape=array.shape, dtype=_ENUM_OF[array.dtype], raw_data=array.tobytes())


def to_array(tensor: pb2.Tensor) -> np.ndarray:
    """The array of a message."""
    return np.frombuffer(tensor.raw_data, DTYPES[tensor.dtype]).reshape(tuple(tensor.shape))


def by_port(outputs: Mapping[str, pb2.Tensor]) -> dict[str, np.ndarray]:
    """Arrays by bare port name."""
    return {key.partition(".")[2]: to_array(tensor) for key, tensor in outputs.items()}


@dataclass(frozen=True)
class Refusal:
    """The status and text of a refused call."""

    code: grpc.StatusCode
    text: str


class Wire:
    """One channel to one address."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)

    def call(self, method: str, **fields: Any) -> Any:
        """Answer of a unary call; keyword arguments are fields of its request."""
        request = getattr(pb2, f"{method}Request")(**fields)
        return getattr(self._stub, method)(request, timeout=CALL_DEADLINE_S)

    def traced(self, method: str, **fields: Any) -> tuple[Any, str]:
        """Return the reply of a unary call, and the trace id that the service sent."""
        request = getattr(pb2, f"{method}Request")(**fields)
        answer, ended = getattr(self._stub, method).with_call(request, timeout=CALL_DEADLINE_S)
        return answer, dict(ended.trailing_metadata())["x-trace-id"]

    def train(self, session_id: str, **fields: Any) -> list[pb2.TrainResponse]:
        """All messages of a statistical training."""
        fields = {"trainer_type": pb2.TRAINER_TYPE_STATISTICAL, **fields}
        request = pb2.TrainRequest(session_id=session_id, **fields)
        return list(self._stub.Train(request, timeout=CALL_DEADLINE_S))

    def train_stream(self, session_id: str, deadline_s: float = CALL_DEADLINE_S) -> grpc.Call:
        """The stream of a statistical training, to be read by the caller."""
        request = pb2.TrainRequest(session_id=session_id, trainer_type=pb2.TRAINER_TYPE_STATISTICAL)
        return self._stub.Train(request, timeout=deadline_s)

    def refused(self, method: str, **fields: Any) -> Refusal:
        """Return how a call was refused; one that succeeds fails the test."""
        with pytest.raises(grpc.RpcError) as caught:
            (self.train if method == "Train" else partial(self.call, method))(**fields)
        return _refusal(caught.value)

    def failed_training(self, session_id: str) -> tuple[list[pb2.TrainResponse], Refusal]:
        """Return the messages of a statistical training that fails, and its error."""
        request = pb2.TrainRequest(session_id=session_id, trainer_type=pb2.TRAINER_TYPE_STATISTICAL)
        messages = []
        with pytest.raises(grpc.RpcError) as caught:
            messages.extend(self._stub.Train(request, timeout=CALL_DEADLINE_S))
        return messages, _refusal(caught.value)

    def session(self) -> str:
        """Id of a new session."""
        return str(self.call("CreateSession").session_id)

    def resolve(
        self, session_id: str, config_type: str, path: str, overrides: Sequence[str] = ()
    ) -> bytes:
        """A composed configuration, as JSON."""
        answer = self.call(
            "ResolveConfig",
            session_id=session_id,
            config_type=config_type,
            path=path,
            overrides=overrides,
        )
        return bytes(answer.config_bytes)

    def apply(self, session_id: str, trainrun: bytes) -> None:
        """Apply a composed trainrun."""
        self.call(
            "SetTrainRunConfig",
            session_id=session_id,
            config=pb2.TrainRunConfig(config_bytes=trainrun),
        )

    def load(self, session_id: str, pipeline: bytes) -> None:
        """Load a composed pipeline."""
        self.call(
            "LoadPipeline",
            session_id=session_id,
            pipeline=pb2.PipelineConfig(config_bytes=pipeline),
        )

    def infer(
        self, session_id: str, cube: np.ndarray, wavelengths: np.ndarray, specs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Outputs of one inference by bare port name."""
        answer = self.call("Inference", **inference(session_id, cube, wavelengths, specs))
        return by_port(answer.outputs)


def _refusal(error: grpc.RpcError) -> Refusal:
    return Refusal(error.code(), error.details())


def inference(
    session_id: str, cube: np.ndarray, wavelengths: np.ndarray, specs: Sequence[str] = ()
) -> dict[str, Any]:
    """Fields of an inference request."""
    return {
        "session_id": session_id,
        "inputs": pb2.InputBatch(cube=to_tensor(cube), wavelengths=to_tensor(wavelengths)),
        "output_specs": specs,
    }


@contextmanager
def wire(address: str) -> Iterator[Wire]:
    """A client of `address` for as long as the block runs."""
    with connect(address) as channel:
        yield Wire(channel)


def assert_says(refusal: Refusal, code: grpc.StatusCode, *patterns: str) -> None:
    """Hold a refusal's status and its words; patterns are searched without regard to case."""
    assert refusal.code is code, refusal
    for pattern in patterns:
        assert re.search(pattern, refusal.text, re.IGNORECASE), (pattern, refusal)
