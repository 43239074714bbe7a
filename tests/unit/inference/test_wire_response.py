"""Protobuf parses the serialised reply correctly."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from fleet_inference.wire import WireTensor, encode_inference_response
from fleet_inference.wire.inference_request import decode_inference_request
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

tensors = st.builds(
    WireTensor,
    shape=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5).map(tuple),
    dtype=st.integers(1, 8),
    data=st.binary(max_size=300).map(memoryview),
)


@given(
    outputs=st.dictionaries(st.text(max_size=200), tensors, max_size=4),
    metrics=st.dictionaries(st.text(max_size=20), st.floats(), max_size=4),
)
def test_protobuf_reads_what_was_written(
    outputs: dict[str, WireTensor], metrics: dict[str, float]
) -> None:
    reply = pb.InferenceResponse.FromString(encode_inference_response(outputs, metrics))
    assert set(reply.outputs) == set(outputs)
    for key, tensor in outputs.items():
        read = reply.outputs[key]
        assert tuple(read.shape) == tensor.shape
        assert (read.dtype, read.raw_data) == (tensor.dtype, tensor.data)
        assert read.WhichOneof("payload") == "raw_data"
    assert set(reply.metrics) == set(metrics)
    expected = pb.InferenceResponse(metrics=metrics)
    for key, value in expected.metrics.items():
        assert struct.pack("<f", reply.metrics[key]) == struct.pack("<f", value) or (
            math.isnan(reply.metrics[key]) and math.isnan(value)
        )


def test_an_empty_reply_is_an_empty_message() -> None:
    assert encode_inference_response({}, {}) == b""


def test_same_bytes_as_protobuf_for_one_output() -> None:
    tensor = WireTensor((1, 3), pb.D_TYPE_UINT8, memoryview(b"abc"))
    reply = pb.InferenceResponse()
    reply.outputs["n.p"].CopyFrom(pb.Tensor(shape=[1, 3], dtype=pb.D_TYPE_UINT8, raw_data=b"abc"))
    assert encode_inference_response({"n.p": tensor}, {}) == reply.SerializeToString()


def test_an_empty_request_is_valid() -> None:
    assert decode_inference_request(b"").session_id == ""
