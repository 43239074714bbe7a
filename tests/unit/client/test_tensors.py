"""Arrays on the wire, compared with protobuf's parser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cuvis_fleet.inference.reply import decode_outputs
from cuvis_fleet.inference.tensors import (
    DTYPES,
    cube_array,
    mask_array,
    to_tensor,
    wavelengths_array,
)
from cuvis_fleet.models.result import Result
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

ARRAYS = arrays.arrays(
    st.sampled_from(list(DTYPES.values())), arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)
)


LARGE = np.zeros(256 * 1024, np.uint8)
"""Makes a reply large enough to be decoded without protobuf's copies."""


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3), st.booleans())
def test_arrays_survive_a_round_trip(outputs, is_large):
    if is_large:
        outputs["large one"] = LARGE
    reply = pb.InferenceResponse(
        outputs={name: to_tensor(name, array) for name, array in outputs.items()},
        metrics={"a.b": 1.5},
    )
    decoded, metrics = decode_outputs(reply.SerializeToString())
    assert set(decoded) == set(outputs)
    for name, array in outputs.items():
        assert decoded[name].dtype == array.dtype
        assert not decoded[name].flags.writeable
        # A tensor without a shape has one dimension with all elements.
        np.testing.assert_array_equal(decoded[name], array if array.ndim else array.reshape(1))
    assert metrics == {"a.b": 1.5}


@given(st.binary(max_size=60), st.booleans())
def test_arbitrary_bytes_are_rejected_or_decoded_as_by_protobuf(reply, is_large):
    if is_large:
        reply += pb.InferenceResponse(
            outputs={"large one": to_tensor("x", LARGE)}
        ).SerializeToString()
    try:
        decoded, _ = decode_outputs(reply)
    except ValueError:
        return
    assert set(decoded) == set(pb.InferenceResponse.FromString(reply).outputs)


@pytest.mark.parametrize("more", [{}, {"large one": LARGE}], ids=["small", "large"])
def test_unknown_fields_are_ignored(more):
    tensor = to_tensor("x", np.arange(3, dtype=np.int64))
    unknown = b"\xa2\x06\x03abc" + b"\xa8\x06\x07" + b"\xb5\x06abcd" + b"\xb9\x06abcdefgh"
    entry = b"\x0a\x01x\x12" + bytes([len(tensor.SerializeToString() + unknown)])
    entry += tensor.SerializeToString() + unknown
    reply = b"\x0a" + bytes([len(entry)]) + entry + unknown
    others = {name: to_tensor(name, array) for name, array in more.items()}
    reply += pb.InferenceResponse(outputs=others).SerializeToString()
    decoded, _ = decode_outputs(reply)
    np.testing.assert_array_equal(decoded["x"], [0, 1, 2])


@pytest.mark.parametrize(
    ("dtype", "sent"), [("i1", "<i4"), ("i2", "<i4"), (">i2", "<i4"), ("u4", "<i8"), (">f8", "<f8")]
)
def test_types_that_the_wire_does_not_support_are_widened(dtype, sent):
    tensor = to_tensor("x", np.array([1, 2, 100], dtype))
    np.testing.assert_array_equal(np.frombuffer(tensor.raw_data, sent), [1, 2, 100])
    assert DTYPES[tensor.dtype] == np.dtype(sent)


@pytest.mark.parametrize("dtype", ["c8", "u8", "U3", "O"])
def test_types_that_cannot_be_sent_are_rejected(dtype):
    with pytest.raises(ValueError, match=r"the cube has the type .*convert it to one of float32"):
        cube_array(np.zeros((1, 1, 1), dtype))


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (cube_array, (2, 2), r"the cube has the shape \(2, 2\); \[H,W,C\]"),
        (wavelengths_array, (1, 1, 1), r"the wavelengths have the shape"),
        (mask_array, (2,), r"the mask has the shape \(2,\)"),
    ],
)
def test_unsupported_shapes_are_rejected(make, shape, text):
    with pytest.raises(ValueError, match=text):
        make(np.zeros(shape))


def test_strided_and_fortran_arrays_are_sent_in_c_order():
    array = np.asfortranarray(np.arange(24, dtype=np.uint16).reshape(2, 3, 4))[:, ::2]
    sent = np.frombuffer(cube_array(array).tobytes(), "<u2").reshape(1, 2, 2, 4)
    np.testing.assert_array_equal(sent[0], array)


def test_a_port_name_suffices_if_only_one_node_has_it():
    one, two = np.zeros(1), np.ones(1)
    result = Result({"a.scores": one, "b.scores": two, "b.decisions": two})
    assert result["decisions"] is two
    assert result["a.scores"] is one
    assert "decisions" in result
    with pytest.raises(KeyError, match=r"several of a\.scores"):
        result["scores"]
    with pytest.raises(KeyError, match="none of"):
        result["other"]
    assert repr(Result({"a.b": np.zeros((1, 2), np.float32)})) == "Result(a.b: float32[1, 2])"
