"""Tensors whose shapes, dtypes and references lie."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.case import EXHAUSTED, INVALID, Case, Fields
from tests.support.scenes.lentils_scene import BANDS

_SMALL = b"\0" * (2 * 16 * BANDS)
_DTYPES = "Supported: float32 1, float64 2, int32 3, int64 4, uint8 5, bool 6, float16 7, uint16 8."


def _inputs(cube: pb2.Tensor, **more: pb2.Tensor) -> Fields:
    bands = np.arange(BANDS, dtype=np.int32)
    wavelengths = pb2.Tensor(shape=(1, BANDS), dtype=pb2.D_TYPE_INT32, raw_data=bands.tobytes())
    return {"inputs": pb2.InputBatch(cube=cube, wavelengths=wavelengths, **more)}


def _cube(*shape: int, dtype: int = pb2.D_TYPE_UINT16, raw_data: bytes = _SMALL) -> Fields:
    return _inputs(pb2.Tensor(shape=shape, dtype=dtype, raw_data=raw_data))


def _shared(name: str, offset: int, size_bytes: int) -> Fields:
    region = pb2.ShmRef(name=name, byte_offset=offset, byte_size=size_bytes)
    shape = (1, 4, 4, BANDS) if size_bytes == len(_SMALL) else (size_bytes // 2,)
    return _inputs(pb2.Tensor(shape=shape, dtype=pb2.D_TYPE_UINT16, shm_ref=region))


def _extra(key: str) -> Fields:
    fields = _cube(1, 4, 4, BANDS)
    fields["inputs"].extra_inputs[key].CopyFrom(pb2.Tensor(shape=(2**40,), dtype=1))
    return fields


def _case(name: str, text: str, fields: Callable[[], Fields], code=INVALID) -> Case:
    return Case(name, "Inference", fields, code, text)


def _shaped(name: str, text: str, shape: Sequence[int], **options) -> Case:
    return _case(name, f"inputs.cube: {text}", partial(_cube, *shape, **options))


CASES = [
    _shaped(
        "fewer bytes than the shape",
        "shape [1, 8, 8, 61] of uint16 takes 7808 bytes, but raw_data has 1952.",
        (1, 8, 8, BANDS),
    ),
    _shaped(
        "more bytes than the shape",
        "shape [1, 2, 2, 61] of uint16 takes 488 bytes, but raw_data has 1952.",
        (1, 2, 2, BANDS),
    ),
    _shaped(
        "no bytes",
        "shape [1, 4, 4, 61] of uint16 takes 1952 bytes, but raw_data has 0.",
        (1, 4, 4, BANDS),
        raw_data=b"",
    ),
    _shaped(
        "negative dimensions", "shape [1, -4, -4, 61] has a negative length.", (1, -4, -4, BANDS)
    ),
    _shaped(
        "the least of all dimensions",
        "shape [-9223372036854775808] has a negative length.",
        (-(2**63),),
    ),
    _shaped(
        "2^40 elements",
        "shape [1099511627776] of uint16 takes 2199023255552 bytes, but raw_data has 1952.",
        (2**40,),
    ),
    _shaped(
        "a product that wraps around to the byte count",
        "shape [4611686018427387904, 4, 976] has more elements than can be addressed.",
        (2**62, 4, 16 * BANDS),
    ),
    _shaped(
        "a product that wraps around to zero",
        "shape [4294967296, 4294967296] has more elements than can be addressed.",
        (2**32, 2**32),
        raw_data=b"",
    ),
    _shaped(
        "beyond all addresses, but for a zero",
        "shape [4611686018427387904, 4611686018427387904, 0] has more elements "
        "than can be addressed.",
        (2**62, 2**62, 0),
        raw_data=b"",
    ),
    _case(
        "zero rows",
        "Node 'LentilsAnomalyDataNode', input 'cube': got the empty uint16 [1, "
        "0, 4, 61]; expected at least one element.",
        partial(_cube, 1, 0, 4, BANDS, raw_data=b""),
    ),
    _case(
        "no channels",
        "Node 'LentilsAnomalyDataNode', input 'cube': got the empty uint16 [1, "
        "4, 4, 0]; expected at least one element.",
        partial(_cube, 1, 4, 4, 0, raw_data=b""),
    ),
    _shaped("a thousand axes", "shape has 1000 axes; the limit is 16.", [1] * 1000),
    _shaped(
        "dtype unspecified",
        f"Unsupported dtype: 0. {_DTYPES}",
        (1, 4, 4, BANDS),
        dtype=0,
    ),
    _shaped(
        "dtype of no release",
        f"Unsupported dtype: 99. {_DTYPES}",
        (1, 4, 4, BANDS),
        dtype=99,
    ),
    _shaped(
        "a negative dtype",
        f"Unsupported dtype: -1. {_DTYPES}",
        (1, 4, 4, BANDS),
        dtype=-1,
    ),
    _shaped(
        "half an element",
        "raw_data has 5 bytes, which is not a multiple of the 2 bytes of one uint16.",
        (),
        raw_data=b"\0" * 5,
    ),
    _case(
        "an extra input of 2^40 elements",
        "inputs.extra_inputs['more']: shape [1099511627776] of float32 takes "
        "4398046511104 bytes, but raw_data has 0.",
        partial(_extra, "more"),
    ),
    _case(
        "an extra input in a field's place",
        "inputs.extra_inputs['cube']: inputs.cube is also set; send only one of them.",
        partial(_extra, "cube"),
    ),
    _case(
        "an extra input under a key of 5000",
        f"inputs.extra_inputs['{'k' * 80}...']: shape [1099511627776] of "
        "float32 takes 4398046511104 bytes, but raw_data has 0.",
        partial(_extra, "k" * 5000),
    ),
    _case(
        "a segment in another folder",
        "inputs.cube: shm_ref.name '/../../etc/passwd' is not the name of a "
        "segment: it must be a name without a folder, as for shm_open.",
        partial(_shared, "/../../etc/passwd", 0, len(_SMALL)),
    ),
    _case(
        "a segment without name",
        "inputs.cube: shm_ref.name '' is not the name of a segment: it "
        "must be a name without a folder, as for shm_open.",
        partial(_shared, "", 0, len(_SMALL)),
    ),
    _case(
        "a segment named dot dot",
        "inputs.cube: shm_ref.name '..' is not the name of a segment: it "
        "must be a name without a folder, as for shm_open.",
        partial(_shared, "..", 0, len(_SMALL)),
    ),
    _case(
        "a segment with NUL",
        "inputs.cube: shm_ref.name 'a?b' is not the name of a segment: it "
        "must be a name without a folder, as for shm_open.",
        partial(_shared, "a\0b", 0, len(_SMALL)),
    ),
    _case(
        "a segment's name of 5000",
        f"inputs.cube: shm_ref.name '{'s' * 80}...' is not the name of a segment: "
        "it must be a name without a folder, as for shm_open.",
        partial(_shared, "s" * 5000, 0, len(_SMALL)),
    ),
    _case(
        "a segment that is not there",
        "inputs.cube: there is no shared-memory segment 'none' that this "
        "server can read. It must be on the server's host and exist until the "
        "reply arrives.",
        partial(_shared, "none", 2**63, len(_SMALL)),
    ),
    _case(
        "a segment of 2^62 bytes",
        "The tensors in shared memory total 4611686018427387904 bytes; the "
        "limit for one request is 1073741824.",
        partial(_shared, "none", 0, 2**62),
        EXHAUSTED,
    ),
]
