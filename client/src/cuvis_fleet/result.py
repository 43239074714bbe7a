"""What an inference returns."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError, Message

from cuvis_fleet.fields import fields
from cuvis_fleet.tensors import DTYPES, LARGE_BYTES
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

Parsed = TypeVar("Parsed", bound=Message)


class Result(Mapping[str, npt.NDArray[Any]]):
    """Arrays by ``node.port``; a bare port name serves where only one node has it.

    The arrays are read-only, and those of large replies are views of its bytes, which are not
    copied; ``np.array(view)`` makes a copy that may be written to.

    Attributes:
        metrics: single numbers by ``node.port``.
        trace_id: under which the server's logs and traces have the call.
    """

    def __init__(
        self,
        outputs: Mapping[str, npt.NDArray[Any]],
        metrics: Mapping[str, float] | None = None,
        trace_id: str = "",
    ) -> None:
        self._outputs = dict(outputs)
        self.metrics = dict(metrics or {})
        self.trace_id = trace_id

    def __getitem__(self, key: str) -> npt.NDArray[Any]:
        if key in self._outputs:
            return self._outputs[key]
        matching = [name for name in self._outputs if name.partition(".")[2] == key]
        if len(matching) != 1:
            raise KeyError(f"{key}: {'several' if matching else 'none'} of {', '.join(self)}")
        return self._outputs[matching[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.items()
        )
        return f"Result({listed})"


def decode_outputs(
    reply: bytes,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, float]]:
    """Take a serialised ``InferenceResponse`` apart into read-only arrays and metrics.

    The arrays of a large one view its bytes.

    Raises:
        ValueError: this is not such a message.
    """
    if len(reply) < LARGE_BYTES:
        response = _parsed(pb.InferenceResponse, reply)
        small = {name: _array(each, each.raw_data) for name, each in response.outputs.items()}
        return small, dict(response.metrics)
    outputs: dict[str, npt.NDArray[Any]] = {}
    rest = bytearray()
    for number, value, whole in fields(memoryview(reply)):
        if number == pb.InferenceResponse.OUTPUTS_FIELD_NUMBER:
            name, array = _entry(value)
            outputs[name] = array
        else:
            rest += whole
    return outputs, dict(_parsed(pb.InferenceResponse, bytes(rest)).metrics)


def _entry(entry: memoryview) -> tuple[str, npt.NDArray[Any]]:
    name, tensor = "", memoryview(b"")
    for number, value, _ in fields(entry):
        if number == 1:
            name = bytes(value).decode()
        elif number == 2:
            tensor = value
    data, rest = memoryview(b""), bytearray()
    for number, value, whole in fields(tensor):
        if number == pb.Tensor.RAW_DATA_FIELD_NUMBER:
            data = value
        else:
            rest += whole
    return name, _array(_parsed(pb.Tensor, bytes(rest)), data)


def _parsed(kind: type[Parsed], content: bytes) -> Parsed:
    try:
        return kind.FromString(content)
    except DecodeError as error:
        raise ValueError(f"not a {kind.DESCRIPTOR.name}: {error}") from error


def _array(head: pb.Tensor, data: bytes | memoryview) -> npt.NDArray[Any]:
    if head.dtype not in DTYPES:
        raise ValueError(f"a tensor of the unknown type {head.dtype}")
    flat = np.frombuffer(data, DTYPES[head.dtype])
    return flat.reshape(tuple(head.shape)) if head.shape else flat
