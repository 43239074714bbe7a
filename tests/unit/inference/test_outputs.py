"""Which of a pipeline's outputs reach the client."""

import numpy as np
import pytest
import torch

from fleet_inference.dtypes import TORCH_DTYPES
from fleet_inference.outputs import to_reply
from fleet_platform.errors import InvalidInput
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

ALL: frozenset[str] = frozenset()


@pytest.mark.parametrize(("number", "dtype"), TORCH_DTYPES.items())
def test_tensors_of_every_dtype(number: int, dtype: torch.dtype) -> None:
    tensor = torch.tensor([[0, 1], [1, 1]]).to(dtype)
    tensors, metrics = to_reply({"n.p": tensor}, ALL)
    got = tensors["n.p"]
    assert (got.shape, got.dtype, metrics) == ((2, 2), number, {})
    assert bytes(got.data or b"") == tensor.numpy().tobytes()


def test_memory_of_a_contiguous_tensor_is_viewed() -> None:
    tensor = torch.arange(4, dtype=torch.float32)
    data = to_reply({"n.p": tensor}, ALL)[0]["n.p"].data
    tensor[0] = 7
    assert bytes(data or b"") == tensor.numpy().tobytes()


def test_strided_and_learned_tensors() -> None:
    strided = torch.arange(6, dtype=torch.int32).reshape(2, 3).T
    learned = torch.ones(2, requires_grad=True)
    tensors, _ = to_reply({"a.x": strided, "a.y": learned}, ALL)
    assert tensors["a.x"].shape == (3, 2)
    assert bytes(tensors["a.x"].data or b"") == strided.numpy().tobytes()
    assert tensors["a.y"].shape == (2,)


def test_scalars_and_empty_tensors_keep_their_shape() -> None:
    tensors, _ = to_reply({"a.x": torch.tensor(1.5), "a.y": torch.zeros(2, 0)}, ALL)
    assert (tensors["a.x"].shape, len(tensors["a.x"].data or b"")) == ((), 4)
    assert (tensors["a.y"].shape, len(tensors["a.y"].data or b"")) == ((2, 0), 0)


def test_numbers_are_metrics_and_arrays_are_tensors() -> None:
    tensors, metrics = to_reply(
        {
            "m.int": 3,
            "m.float": 0.5,
            "m.numpy": np.float32(0.25),
            "a.array": np.array([430, 440], np.int32),
            "a.list": [1.0, 2.0],
            "a.empty": [],
        },
        ALL,
    )
    assert metrics == {"m.int": 3.0, "m.float": 0.5, "m.numpy": 0.25}
    assert tensors["a.array"].dtype == pb.D_TYPE_INT32
    assert tensors["a.list"].dtype == pb.D_TYPE_FLOAT32
    assert (tensors["a.empty"].shape, tensors["a.empty"].dtype) == ((0,), pb.D_TYPE_FLOAT32)


@pytest.mark.parametrize(
    "value", ["text", b"bytes", {"a": 1}, None, True, [object()], [[1], [2, 3]]]
)
def test_what_the_wire_cannot_carry_is_left_out(value: object) -> None:
    assert to_reply({"n.p": value}, frozenset({"n.p"})) == ({}, {})


def test_a_dtype_that_the_wire_does_not_know() -> None:
    outputs = {"n.half": torch.zeros(1, dtype=torch.bfloat16), "n.good": torch.zeros(1)}
    assert set(to_reply(outputs, ALL)[0]) == {"n.good"}
    with pytest.raises(InvalidInput, match=r"n\.half has dtype bfloat16.*float32"):
        to_reply(outputs, frozenset({"half"}))
