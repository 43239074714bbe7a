"""Which tensors of a request are accepted, and the errors of the others."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fleet_inference.dtypes import TORCH_DTYPES
from fleet_inference.inputs import allow_read_only_views, to_batch, to_tensor
from fleet_inference.shared_memory import SharedMemory
from fleet_inference.wire import DecodedRequest, SharedRegion, WireTensor
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

CPU = torch.device("cpu")
NO_SHARING = SharedMemory(enabled=False, limit_bytes=1 << 20)
ITEMS = {number: dtype.itemsize for number, dtype in TORCH_DTYPES.items()}


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> None:
    allow_read_only_views()


def tensor(shape: tuple[int, ...], dtype: int, data: bytes) -> torch.Tensor:
    return to_tensor("inputs.cube", WireTensor(shape, dtype, memoryview(data)), CPU, NO_SHARING)


def test_every_dtype_of_the_wire_is_known() -> None:
    assert set(TORCH_DTYPES) == set(pb.DType.values()) - {pb.D_TYPE_UNSPECIFIED}


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (pb.D_TYPE_FLOAT32, np.array([[1.5, -2], [0, 3]], "<f4")),
        (pb.D_TYPE_FLOAT64, np.array([[1.5, -2], [0, 3]], "<f8")),
        (pb.D_TYPE_INT32, np.array([[1, -2]], "<i4")),
        (pb.D_TYPE_INT64, np.array([[1, -(2**40)]], "<i8")),
        (pb.D_TYPE_UINT8, np.array([[0, 255]], "u1")),
        (pb.D_TYPE_BOOL, np.array([[True, False]])),
        (pb.D_TYPE_FLOAT16, np.array([[1.5, -2]], "<f2")),
        (pb.D_TYPE_UINT16, np.array([[0, 65535]], "<u2")),
    ],
)
@pytest.mark.parametrize("odd", [0, 1])
def test_values_dtype_and_shape_are_kept(number: int, values: np.ndarray, odd: int) -> None:
    buffer = memoryview(b"x" * odd + values.tobytes())[odd:]
    got = to_tensor("inputs.cube", WireTensor(values.shape, number, buffer), CPU, NO_SHARING)
    assert got.dtype == TORCH_DTYPES[number]
    np.testing.assert_array_equal(got.numpy(), values)
    assert got.data_ptr() % got.itemsize == 0


def test_an_aligned_cube_is_not_copied() -> None:
    buffer = np.arange(6, dtype="<u2")
    view = memoryview(buffer).cast("B").toreadonly()
    got = to_tensor("inputs.cube", WireTensor((1, 2, 3), pb.D_TYPE_UINT16, view), CPU, NO_SHARING)
    assert got.data_ptr() == buffer.ctypes.data


def test_bytes_of_a_mask_other_than_0_and_1_are_true() -> None:
    assert tensor((3,), pb.D_TYPE_BOOL, b"\0\1\7").tolist() == [False, True, True]


def test_no_shape_is_one_axis() -> None:
    assert tensor((), pb.D_TYPE_UINT16, bytes(6)).shape == (3,)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (2, 0, 3)])
def test_no_elements(shape: tuple[int, ...]) -> None:
    assert tensor(shape, pb.D_TYPE_FLOAT32, b"").shape == shape


@pytest.mark.parametrize(
    ("shape", "dtype", "data", "text"),
    [
        ((1,), 0, b"", "Unsupported dtype: 0. Supported: float32 1,"),
        ((1,), 9, b"\0", "Unsupported dtype: 9"),
        ((1,), -3, b"\0", "Unsupported dtype: -3"),
        ((2, 2), pb.D_TYPE_UINT16, bytes(7), "takes 8 bytes, but raw_data has 7"),
        ((2, 2), pb.D_TYPE_UINT16, b"", "takes 8 bytes, but raw_data has 0"),
        ((), pb.D_TYPE_UINT16, bytes(7), "not a multiple of the 2 bytes of one uint16"),
        ((-1, 4), pb.D_TYPE_UINT8, bytes(4), "negative length"),
        ((-1, -4), pb.D_TYPE_UINT8, bytes(4), "negative length"),
        ((2**40, 2**40), pb.D_TYPE_UINT8, b"", "more elements than can be addressed"),
        ((2**40, 2**40, 0), pb.D_TYPE_UINT8, b"", "more elements than can be addressed"),
        ((2**32, 2**32), pb.D_TYPE_UINT8, b"", "more elements than can be addressed"),
        ((1,) * 17, pb.D_TYPE_UINT8, b"\0", "17 axes; the limit is 16"),
    ],
)
def test_what_is_wrong_is_named(shape: tuple[int, ...], dtype: int, data: bytes, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^inputs\.cube: ") as caught:
        tensor(shape, dtype, data)
    assert text in caught.value.text


@given(
    shape=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20).map(tuple),
    dtype=st.integers(-5, 12),
    data=st.binary(max_size=64),
)
def test_any_declaration_is_decoded_or_refused(
    shape: tuple[int, ...], dtype: int, data: bytes
) -> None:
    try:
        got = tensor(shape, dtype, data)
    except InvalidInput:
        return
    assert got.numel() * ITEMS[dtype] == len(data)
    assert tuple(got.shape) == shape or (not shape and got.ndim == 1)


@given(shape=st.lists(st.integers(0, 4), min_size=1, max_size=5), dtype=st.sampled_from([*ITEMS]))
def test_what_fits_is_decoded(shape: list[int], dtype: int) -> None:
    got = tensor(tuple(shape), dtype, bytes(math.prod(shape) * ITEMS[dtype]))
    assert list(got.shape) == shape


def call(**parts: object) -> DecodedRequest:
    whole = {"tensors": {}, "extra_tensors": {}, "annotations": {}} | parts
    return DecodedRequest(session_id="s", output_specs=frozenset(), **whole)  # type: ignore[arg-type]


def test_batch_keys() -> None:
    one = WireTensor((1,), pb.D_TYPE_UINT8, memoryview(b"\1"))
    two = WireTensor((1,), pb.D_TYPE_UINT8, memoryview(b"\2"))
    batch = to_batch(
        call(
            tensors={"cube": one, "mesu_index": one},
            extra_tensors={"rgb_image": two, "gain": two},
            annotations={"text_prompt": "lentil"},
        ),
        CPU,
        NO_SHARING,
    )
    assert set(batch) == {"cube", "mesu_index", "rgb_image", "gain", "text_prompt"}
    assert batch["rgb_image"].tolist() == [2]  # type: ignore[attr-defined]
    assert batch["text_prompt"] == "lentil"


@pytest.mark.parametrize("key", ["cube", "bboxes"])
def test_an_extra_input_does_not_replace_a_field(key: str) -> None:
    one = WireTensor((1,), pb.D_TYPE_UINT8, memoryview(b"\1"))
    both = call(tensors={"cube": one}, annotations={"bboxes": []}, extra_tensors={key: one})
    with pytest.raises(InvalidInput, match=rf"extra_inputs\['{key}'\]: inputs.{key} is also set"):
        to_batch(both, CPU, NO_SHARING)


def test_a_bad_extra_input_is_named() -> None:
    bad = WireTensor((2,), pb.D_TYPE_UINT8, memoryview(b"\1"))
    with pytest.raises(InvalidInput, match=r"inputs\.extra_inputs\['gain'\]"):
        to_batch(call(extra_tensors={"gain": bad}), CPU, NO_SHARING)


def by_reference(size_bytes: int, shape: tuple[int, ...] = ()) -> WireTensor:
    region = SharedRegion("segment", 0, size_bytes)
    return WireTensor(shape, pb.D_TYPE_UINT16, memoryview(b""), region)


def test_a_reference_is_held_against_the_shape_before_it_is_followed() -> None:
    with pytest.raises(InvalidInput, match=r"inputs\.cube: .* takes 8 bytes, but shm_ref has 6"):
        to_tensor("inputs.cube", by_reference(6, (2, 2)), CPU, NO_SHARING)
    with pytest.raises(InvalidInput, match=r"inputs\.cube: shm_ref has 7 bytes"):
        to_tensor("inputs.cube", by_reference(7), CPU, NO_SHARING)


def test_references_are_bounded_together() -> None:
    half = by_reference(600_000)
    with pytest.raises(
        Exhausted, match="total 1200000 bytes; the limit for one request is 1048576"
    ):
        to_batch(call(tensors={"cube": half}, extra_tensors={"gain": half}), CPU, NO_SHARING)
