"""Ports are listed with their true types."""

import pytest
import torch

from fleet_engine import PortSpec
from fleet_inference.convert import to_inputs, to_outputs
from fleet_inference.dtypes import TORCH_DTYPES
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@pytest.mark.parametrize(("number", "dtype"), TORCH_DTYPES.items())
def test_each_dtype_of_the_wire_is_listed(number: int, dtype: torch.dtype) -> None:
    ports = {"a": PortSpec(dtype, (-1, 3)), "b": PortSpec(dtype, (), optional=True)}
    inputs, outputs = to_inputs(ports), to_outputs({f"n.{name}": ports[name] for name in ports})
    assert list(inputs.input_names) == ["a", "b"]
    a, b = inputs.input_specs["a"], inputs.input_specs["b"]
    assert (a.name, a.dtype, list(a.shape), a.required) == ("a", number, [-1, 3], True)
    assert (b.dtype, list(b.shape), b.required) == (number, [], False)
    assert list(outputs.output_names) == ["n.a", "n.b"]
    out = outputs.output_specs["n.a"]
    assert (out.name, out.dtype, list(out.shape), out.required) == ("n.a", number, [-1, 3], False)


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_a_port_of_any_or_an_unsupported_dtype_has_none(
    dtype: torch.dtype | None,
) -> None:
    spec = to_inputs({"a": PortSpec(dtype, (-1,))}).input_specs["a"]
    assert spec.dtype == pb.D_TYPE_UNSPECIFIED
