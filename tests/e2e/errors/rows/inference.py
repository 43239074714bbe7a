"""Errors of inference and of its profiling."""

from collections.abc import Callable
from typing import Any

import grpc
import numpy as np

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import Row, RowTestedElsewhere, Session, TableRow
from tests.e2e.errors.rows.recurring import fields, no_pipeline, row, unknown_session
from tests.support.case import EARLY, EXHAUSTED, INVALID, Fields
from tests.support.scenes.lentils_scene import BANDS
from tests.support.wire import to_tensor

_SIDE = 4
_BYTES = 2 * _SIDE**2 * BANDS
_CUBE = "Send a cube of shape [B, H, W, C]."
_SHAPE = "Send exactly as many bytes as the shape and the dtype need."
_PLAIN = "Send the bytes in `raw_data`."


def _batch(**changes: Any) -> Fields:
    """Return valid inputs with the given tensors replaced; None removes one."""
    good = {
        "cube": to_tensor(np.ones((1, _SIDE, _SIDE, BANDS), np.uint16)),
        "wavelengths": to_tensor(np.arange(BANDS, dtype=np.int32)[None]),
    }
    given = {name: value for name, value in (good | changes).items() if value is not None}
    return {"inputs": pb2.InputBatch(**given)}


def _infers(
    name: str,
    text: str,
    remedy: str,
    make: Callable[[], Fields],
    code: grpc.StatusCode = INVALID,
    **options: Any,
) -> Row:
    return row("Inference", name, code, text, remedy, make, **options)


def _ones(*shape: int, dtype: type = np.uint16) -> pb2.Tensor:
    return to_tensor(np.ones(shape, dtype))


def _shared(name: str, size_bytes: int, *shape: int) -> Fields:
    region = pb2.ShmRef(name=name, byte_size=size_bytes)
    return _batch(cube=pb2.Tensor(shape=shape, dtype=pb2.D_TYPE_UINT16, shm_ref=region))


def _cube(
    *shape: int, dtype: "pb2.DType.ValueType" = pb2.D_TYPE_UINT16, size_bytes: int = _BYTES
) -> Fields:
    return _batch(cube=pb2.Tensor(shape=shape, dtype=dtype, raw_data=bytes(size_bytes)))


def _extra() -> Fields:
    made = _batch()
    made["inputs"].extra_inputs["cube"].CopyFrom(_ones(1))
    return made


def _profiles(name: str, text: str, remedy: str, **given: Any) -> Row:
    return row("SetProfiling", name, INVALID, text, remedy, fields(enabled=True, **given))


NOTES = {
    "Inference": "An entry of `output_specs` that does not name an output is ignored.",
}

ROWS: list[TableRow] = [
    unknown_session("Inference"),
    no_pipeline(
        "Inference", "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
    ),
    _infers(
        "a pipeline that is not fitted",
        "No statistics yet: MinMaxNormalizer, RXGlobal. First call Train (statistical) or "
        "LoadPipelineWeights.",
        "Call `Train` or `LoadPipelineWeights` first.",
        _batch,
        EARLY,
        session=Session.LOADED,
    ),
    _infers(
        "no cube",
        "Node 'LentilsAnomalyDataNode', input 'cube': the request has no 'cube'; expected any "
        "dtype [B, H, W, C].",
        _CUBE,
        lambda: _batch(cube=None),
    ),
    _infers(
        "no wavelengths",
        "Node 'LentilsAnomalyDataNode', input 'wavelengths': the request has no "
        "'wavelengths'; expected int32 [B, C].",
        "Send one wavelength in nm for each channel.",
        lambda: _batch(wavelengths=None),
    ),
    _infers(
        "a cube with the wrong number of dimensions",
        "Node 'LentilsAnomalyDataNode', input 'cube': got uint16 [4, 4, 61]; expected any "
        "dtype [B, H, W, C].",
        _CUBE,
        lambda: _batch(cube=_ones(_SIDE, _SIDE, BANDS)),
    ),
    _infers(
        "a different number of channels",
        "Node 'RXGlobal', input 'data': got 5 channels; expected 61 channels (hparam "
        "num_channels).",
        "Send the number of channels that the pipeline is made for.",
        lambda: _batch(cube=_ones(1, _SIDE, _SIDE, 5), wavelengths=_ones(1, 5, dtype=np.int32)),
    ),
    _infers(
        "an empty cube",
        "Node 'LentilsAnomalyDataNode', input 'cube': got the empty uint16 [1, 0, 4, 61]; "
        "expected at least one element.",
        _CUBE,
        lambda: _batch(cube=_ones(1, 0, _SIDE, BANDS)),
    ),
    _infers(
        "a different number of wavelengths",
        "Node 'LentilsAnomalyDataNode', input 'wavelengths': got int32 [1, 5]; expected [B, "
        "C] or [C] with the 61 channels of the cube.",
        "Send one wavelength for each channel.",
        lambda: _batch(wavelengths=_ones(1, 5, dtype=np.int32)),
    ),
    _infers(
        "a mask with a different shape",
        "Node 'LentilsAnomalyDataNode', input 'mask': got int32 [1, 3, 3]; expected the "
        "extent [1, 4, 4] [B, H, W] of Node 'LentilsAnomalyDataNode', input 'cube'.",
        "Send one class for each pixel.",
        lambda: _batch(mask=_ones(1, 3, 3, dtype=np.int32)),
    ),
    _infers(
        "an unknown dtype",
        "inputs.cube: Unsupported dtype: 0. Supported: float32 1, float64 2, int32 3, int64 "
        "4, uint8 5, bool 6, float16 7, uint16 8.",
        "Use one of the dtypes listed in the text.",
        lambda: _cube(1, _SIDE, _SIDE, BANDS, dtype=0),
    ),
    _infers(
        "bytes that do not match the shape",
        "inputs.cube: shape [1, 4, 4, 61] of uint16 takes 1952 bytes, but raw_data has 100.",
        _SHAPE,
        lambda: _cube(1, _SIDE, _SIDE, BANDS, size_bytes=100),
    ),
    _infers(
        "an incomplete element",
        "inputs.cube: raw_data has 5 bytes, which is not a multiple of the 2 bytes of one uint16.",
        _SHAPE,
        lambda: _cube(size_bytes=5),
    ),
    _infers(
        "a negative length",
        "inputs.cube: shape [1, -4, -4, 61] has a negative length.",
        _CUBE,
        lambda: _cube(1, -_SIDE, -_SIDE, BANDS),
    ),
    _infers(
        "more elements than can be addressed",
        "inputs.cube: shape [4611686018427387904, 4, 61] has more elements than can be addressed.",
        _CUBE,
        lambda: _cube(2**62, _SIDE, BANDS),
    ),
    _infers(
        "too many axes",
        "inputs.cube: shape has 17 axes; the limit is 16.",
        _CUBE,
        lambda: _cube(*[1] * 17),
    ),
    _infers(
        "an extra input with the name of a field",
        "inputs.extra_inputs['cube']: inputs.cube is also set; send only one of them.",
        "Send only one of them.",
        _extra,
    ),
    _infers(
        "a shared-memory segment that does not exist",
        "inputs.cube: there is no shared-memory segment 'none' that this server can read. It "
        "must be on the server's host and exist until the reply arrives.",
        _PLAIN,
        lambda: _shared("none", _BYTES, 1, _SIDE, _SIDE, BANDS),
    ),
    _infers(
        "an invalid name of a shared-memory segment",
        "inputs.cube: shm_ref.name '../etc/passwd' is not the name of a segment: it must be a "
        "name without a folder, as for shm_open.",
        _PLAIN,
        lambda: _shared("../etc/passwd", _BYTES, 1, _SIDE, _SIDE, BANDS),
    ),
    _infers(
        "too much in shared memory",
        "The tensors in shared memory total 1099511627776 bytes; the limit for one request "
        "is 1073741824.",
        "Send fewer or smaller measurements at once.",
        lambda: _shared("none", 2**40, 2**39),
        EXHAUSTED,
    ),
    RowTestedElsewhere(
        name="no memory left",
        method="Inference",
        code="RESOURCE_EXHAUSTED",
        text="This inference needs more memory than is available. Send fewer or smaller "
        "measurements at once, or request fewer outputs.",
        remedy="Send fewer or smaller measurements at once, or request fewer outputs.",
        proof="tests/service/inference/test_inference.py::test_out_of_memory",
    ),
    RowTestedElsewhere(
        name="the pipeline is still being built",
        method="Inference",
        code="RESOURCE_EXHAUSTED",
        text="The pipeline was still being built after <waited> s; try again in 10 s.",
        remedy="Wait for the stated time and call again.",
        proof="tests/unit/inference/test_pipeline_cache.py::test_no_call_waits_longer_than_its_limit",
    ),
    unknown_session("SetProfiling"),
    no_pipeline(
        "SetProfiling",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
        enabled=True,
    ),
    _profiles(
        "a negative count",
        "skip_first_n is -1; it must be 0 or more.",
        "Send 0 or more.",
        skip_first_n=-1,
    ),
    unknown_session("GetProfilingSummary"),
    no_pipeline(
        "GetProfilingSummary",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
    ),
    row(
        "GetProfilingSummary",
        "an unknown stage",
        INVALID,
        "stage 99 is unknown; valid: EXECUTION_STAGE_UNSPECIFIED 0, EXECUTION_STAGE_TRAIN 1, "
        "EXECUTION_STAGE_VAL 2, EXECUTION_STAGE_TEST 3, EXECUTION_STAGE_INFERENCE 4.",
        "Use one of the stages listed in the text.",
        fields(stage=99),
    ),
]
