"""What one ``Inference`` request says, without its transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class WireTensor(NamedTuple):
    """A tensor as it came over the wire, not yet checked.

    Attributes:
        shape: as declared; may be wrong or negative.
        dtype: number of ``cuvis_ai.v1.DType`` as declared; may be unknown.
        data: little-endian C-order bytes, a view into the request; None when the payload was
            handed over by reference to shared memory.
    """

    shape: tuple[int, ...]
    dtype: int
    data: memoryview | None


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
