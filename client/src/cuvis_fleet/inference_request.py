"""One inference, as it is sent.

Large arrays go into the serialised message directly, which saves two copies of each; the small
ones go through protobuf's message.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cuvis_fleet import tensors
from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.prompts import Box, Point
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

_FIELDS = pb.InputBatch.DESCRIPTOR.fields_by_name
_DELIMITED = 2
_SHARE_BYTES = 1024**2

Prompt = TypeVar("Prompt", Box, Point)
Piece = bytes | memoryview
Elsewhere = Mapping[int, pb.ShmRef]
"""Where arrays lie that are not sent along, by their `id`."""


@dataclass(frozen=True)
class InferenceRequest:
    """Inputs of a pipeline, checked and in the wire's types.

    Attributes:
        arrays: by field of the batch.
        extra: by port name.
        prompts: boxes, points and text; None: none of them.
        outputs: which outputs to return.
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
        """Check and convert; the arguments are those of `Session.infer`.

        Raises:
            WrongArgument: an array of an impossible shape or type, or wavelengths that do not fit.
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
        """Every array of the request."""
        yield from self.arrays.values()
        yield from self.extra.values()

    def serialised(self, session_id: str, elsewhere: Elsewhere | None = None) -> bytes:
        """The message ``InferenceRequest``.

        Args:
            session_id: whose pipeline runs.
            elsewhere: arrays to refer to in place of sending them.
        """
        places = elsewhere or {}
        message = pb.InferenceRequest(session_id=session_id, output_specs=self.outputs)
        batch = message.inputs
        batch.SetInParent()
        if self.prompts is not None:
            batch.CopyFrom(self.prompts)
        large: list[Piece] = []
        for field, array in self.arrays.items():
            if _passes_protobuf(array, places):
                large += _delimited(_FIELDS[field].number, _tensor(array))
            else:
                _fill(getattr(batch, field), array, places)
        for name, array in self.extra.items():
            if _passes_protobuf(array, places):
                entry = [*_delimited(1, [name.encode()]), *_delimited(2, _tensor(array))]
                large += _delimited(_FIELDS["extra_inputs"].number, entry)
            else:
                _fill(batch.extra_inputs[name], array, places)
        head = message.SerializeToString()
        if not large:
            return head
        # The second occurrence of a message's field is merged with the first.
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
    """The prompts of one kind; one alone stands for itself."""
    for each in given if isinstance(given, Iterable) else (given,):
        if not isinstance(each, kind):
            found = type(each).__name__
            raise WrongArgument(
                f"{name} has a {found} in it; give cuvis_fleet.{kind.__name__} objects"
            )
        yield each


def _check_fit(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    cube, wavelengths = arrays.get("cube"), arrays.get("wavelengths")
    if cube is not None and wavelengths is not None and cube.shape[3] != wavelengths.shape[1]:
        raise WrongArgument(
            f"{wavelengths.shape[1]} wavelengths do not fit a cube of {cube.shape[3]} bands; give "
            "one for each band, which are the cube's last axis"
        )


def _passes_protobuf(array: npt.NDArray[Any], elsewhere: Elsewhere) -> bool:
    """Whether the bytes are put into the serialised message, and not into protobuf's before."""
    return array.nbytes >= tensors.LARGE_BYTES and id(array) not in elsewhere


def _fill(tensor: pb.Tensor, array: npt.NDArray[Any], elsewhere: Elsewhere) -> None:
    tensors.describe(tensor, array)
    if (place := elsewhere.get(id(array))) is not None:
        tensor.shm_ref.CopyFrom(place)
    else:
        tensor.raw_data = array.tobytes()


def _tensor(array: npt.NDArray[Any]) -> list[Piece]:
    head = pb.Tensor()
    tensors.describe(head, array)
    content = array.reshape(-1).view(np.uint8).data
    return [head.SerializeToString(), *_delimited(pb.Tensor.RAW_DATA_FIELD_NUMBER, [content])]


def _delimited(number: int, pieces: list[Piece]) -> list[Piece]:
    size_bytes = sum(len(piece) for piece in pieces)
    return [_varint(number << 3 | _DELIMITED) + _varint(size_bytes), *pieces]


def _joined(pieces: list[Piece]) -> bytes:
    """The same as ``b"".join``, which holds up all threads until it has copied everything."""
    joined = BytesIO()
    for piece in pieces:
        for begin in range(0, len(piece), _SHARE_BYTES):
            joined.write(piece[begin : begin + _SHARE_BYTES])
    return joined.getvalue()


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
