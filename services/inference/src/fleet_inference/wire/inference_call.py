"""What one ``Inference`` request says, without its transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class SharedRegion(NamedTuple):
    """Where in POSIX shared memory a tensor's bytes are, as declared and not yet checked.

    Attributes:
        name: of the segment.
        byte_offset: where the tensor begins.
        byte_size: its length.
    """

    name: str
    byte_offset: int
    byte_size: int


class WireTensor(NamedTuple):
    """A tensor as it came over the wire, not yet checked.

    Attributes:
        shape: as declared; may be wrong or negative.
        dtype: number of ``cuvis_ai.v1.DType`` as declared; may be unknown.
        data: little-endian C-order bytes, a view into the request; empty where `region` says where
            they are.
        region: the bytes' place in shared memory; None: they came with the request.
    """

    shape: tuple[int, ...]
    dtype: int
    data: memoryview
    region: SharedRegion | None = None

    @property
    def size_bytes(self) -> int:
        """How many bytes there are, or are said to be."""
        return len(self.data) if self.region is None else self.region.byte_size


@dataclass(frozen=True, slots=True)
class InferenceCall:
    """One request; its tensors are views that keep the request's buffer alive.

    Attributes:
        session_id: the session whose pipeline shall run.
        output_specs: requested outputs, full keys or bare port names; empty: all.
        tensors: the tensors that were set, by field name.
        extra_tensors: additional batch entries, by key.
        annotations: boxes, points and text prompt under their batch keys, as far as they were set.
    """

    session_id: str
    output_specs: frozenset[str]
    tensors: Mapping[str, WireTensor]
    extra_tensors: Mapping[str, WireTensor]
    annotations: Mapping[str, object]
