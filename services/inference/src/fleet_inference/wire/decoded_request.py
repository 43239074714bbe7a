"""The content of an ``Inference`` request, independent of the transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class SharedRegion(NamedTuple):
    """A tensor's region in POSIX shared memory, as declared and not yet checked.

    Attributes:
        name: name of the segment.
        byte_offset: offset of the tensor.
        byte_size: size of the tensor.
    """

    name: str
    byte_offset: int
    byte_size: int


class WireTensor(NamedTuple):
    """A tensor as received, not yet checked.

    Attributes:
        shape: as declared; may be wrong or negative.
        dtype: number of ``cuvis_ai.v1.DType`` as declared; may be unknown.
        data: little-endian bytes in C order, a view of the request; empty if `region` is set.
        region: the region of the bytes in shared memory; None if they are in the request.
    """

    shape: tuple[int, ...]
    dtype: int
    data: memoryview
    region: SharedRegion | None = None

    @property
    def size_bytes(self) -> int:
        """Size of the data, or the declared size of the region."""
        return len(self.data) if self.region is None else self.region.byte_size


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """One request; its tensors are views that keep the request's buffer alive.

    Attributes:
        session_id: the session whose pipeline to run.
        output_specs: requested outputs, as ``node.port`` or port names; empty means all.
        tensors: the tensors that are set, by field name.
        extra_tensors: additional batch entries, by key.
        annotations: boxes, points and text prompt, if set, by batch key.
    """

    session_id: str
    output_specs: frozenset[str]
    tensors: Mapping[str, WireTensor]
    extra_tensors: Mapping[str, WireTensor]
    annotations: Mapping[str, object]
