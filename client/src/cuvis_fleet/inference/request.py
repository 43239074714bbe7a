"""Encodes inference requests.

Large arrays are written directly into the serialised message, which saves two copies of each;
small ones go through a protobuf message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.inference import tensors
from cuvis_fleet.models.prompts import Box, Point
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.wire import LEN, tag, write_varint

_FIELDS = pb.InputBatch.DESCRIPTOR.fields_by_name
_CHUNK_BYTES = 1024**2

Prompt = TypeVar("Prompt", Box, Point)
Piece = bytes | memoryview
SharedArrays = Mapping[int, pb.ShmRef]
"""References to arrays in shared memory, which are not sent, by their `id`."""


@dataclass(frozen=True)
class InferenceRequest:
    """The inputs of a pipeline, validated and converted to the wire's types.

    Attributes:
        arrays: arrays by field of the batch.
        extra: other arrays by port name.
        prompts: boxes, points and text; None: no prompts.
        outputs: the outputs to return.
    """

    arrays: Mapping[str, npt.NDArray[Any]]
    extra: Mapping[str, npt.NDArray[Any]]
    prompts: pb.InputBatch | None
    outputs: Sequence[str]

    @classmethod
    def of(
        cls,
        cube: Any = None,
        wavelengths_nm: Any = None,
        outputs: Sequence[str] = (),
        mask: Any = None,
        *,
        bboxes: Sequence[Box] | None = None,
        points: Sequence[Point] | None = None,
        text: str = "",
        rgb_image: Any = None,
        frame_id: Any = None,
        mesu_index: Any = None,
        **extra_inputs: Any,
    ) -> "InferenceRequest":
        """Validate and convert the arguments of `Session.infer`.

        Raises:
            WrongArgument: an array has an unsupported shape or type, or the wavelengths do not fit.
        """
        arrays = {}
        if cube is not None:
            arrays["cube"] = tensors.cube_array(cube)
        if wavelengths_nm is not None:
            arrays["wavelengths"] = tensors.wavelengths_array(wavelengths_nm)
        if mask is not None:
            arrays["mask"] = tensors.mask_array(mask)
        if rgb_image is not None:
            arrays["rgb_image"] = tensors.rgb_array(rgb_image)
        if frame_id is not None:
            arrays["frame_id"] = tensors.index_array("frame_id", frame_id)
        if mesu_index is not None:
            arrays["mesu_index"] = tensors.index_array("mesu_index", mesu_index)
        _check_fit(arrays)
        prompts = _prompts(bboxes, points, text)
        extra = {name: tensors.wire_array(name, value) for name, value in extra_inputs.items()}
        return cls(arrays, extra, prompts, (outputs,) if isinstance(outputs, str) else outputs)

    def all_arrays(self) -> Iterator[npt.NDArray[Any]]:
        """Iterate over all arrays of the request."""
        yield from self.arrays.values()
        yield from self.extra.values()

    def serialised(self, session_id: str, shared: SharedArrays | None = None) -> bytes:
        """Return the serialised ``InferenceRequest``.

        Args:
            session_id: the session whose pipeline runs.
            shared: arrays to reference in shared memory instead of sending them.
        """
        references = shared or {}
        message = pb.InferenceRequest(session_id=session_id, output_specs=self.outputs)
        batch = message.inputs
        batch.SetInParent()
        if self.prompts is not None:
            batch.CopyFrom(self.prompts)
        large: list[Piece] = []
        for field, array in self.arrays.items():
            if _bypasses_protobuf(array, references):
                large += _delimited(_FIELDS[field].number, _tensor(array))
            else:
                _fill(getattr(batch, field), array, references)
        for name, array in self.extra.items():
            if _bypasses_protobuf(array, references):
                entry = [*_delimited(1, [name.encode()]), *_delimited(2, _tensor(array))]
                large += _delimited(_FIELDS["extra_inputs"].number, entry)
            else:
                _fill(batch.extra_inputs[name], array, references)
        head = message.SerializeToString()
        if not large:
            return head
        # Protobuf merges the second occurrence of a message field with the first.
        return _joined([head, *_delimited(pb.InferenceRequest.INPUTS_FIELD_NUMBER, large)])


def _prompts(
    bboxes: Sequence[Box] | None, points: Sequence[Point] | None, text: str
) -> pb.InputBatch | None:
    if bboxes is None and points is None and not text:
        return None
    prompts = pb.InputBatch(text_prompt=text)
    if bboxes is not None:
        boxes = [box.to_wire() for box in _all_of(Box, "bboxes", bboxes)]
        prompts.bboxes.CopyFrom(pb.BoundingBoxes(boxes=boxes))
    if points is not None:
        marks = [point.to_wire() for point in _all_of(Point, "points", points)]
        prompts.points.CopyFrom(pb.Points(points=marks))
    return prompts


def _all_of(kind: type[Prompt], name: str, given: Iterable[Prompt] | Prompt) -> Iterator[Prompt]:
    """Iterate over the prompts of one kind; a single prompt need not be in a list."""
    for each in given if isinstance(given, Iterable) else (given,):
        if not isinstance(each, kind):
            found = type(each).__name__
            raise WrongArgument(
                f"{name} contains a {found}; pass cuvis_fleet.{kind.__name__} objects"
            )
        yield each


def _check_fit(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    cube, wavelengths = arrays.get("cube"), arrays.get("wavelengths")
    if cube is not None and wavelengths is not None and cube.shape[3] != wavelengths.shape[1]:
        raise WrongArgument(
            f"{wavelengths.shape[1]} wavelengths do not fit a cube of {cube.shape[3]} bands; pass "
            "one for each band along the cube's last axis"
        )


def _bypasses_protobuf(array: npt.NDArray[Any], shared: SharedArrays) -> bool:
    """Return whether to write an array's bytes directly into the serialised message."""
    return array.nbytes >= tensors.LARGE_BYTES and id(array) not in shared


def _fill(tensor: pb.Tensor, array: npt.NDArray[Any], shared: SharedArrays) -> None:
    tensors.describe(tensor, array)
    if (reference := shared.get(id(array))) is not None:
        tensor.shm_ref.CopyFrom(reference)
    else:
        tensor.raw_data = array.tobytes()


def _tensor(array: npt.NDArray[Any]) -> list[Piece]:
    head = pb.Tensor()
    tensors.describe(head, array)
    content = array.reshape(-1).view(np.uint8).data
    return [head.SerializeToString(), *_delimited(pb.Tensor.RAW_DATA_FIELD_NUMBER, [content])]


def _delimited(number: int, pieces: list[Piece]) -> list[Piece]:
    size_bytes = sum(len(piece) for piece in pieces)
    return [tag(number, LEN) + write_varint(size_bytes), *pieces]


def _joined(pieces: list[Piece]) -> bytes:
    """Join in chunks; ``b"".join`` would block all threads until everything is copied."""
    joined = BytesIO()
    for piece in pieces:
        for begin in range(0, len(piece), _CHUNK_BYTES):
            joined.write(piece[begin : begin + _CHUNK_BYTES])
    return joined.getvalue()
